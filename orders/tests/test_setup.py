"""/setup/: what is missing until all orders are imported, for admins and for everybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders.models import ApiLimits, SyncState
from orders.services import health
from testing.list_pages import complete_sync, has_link, text_of
from testing.search_oracle import NOW

pytestmark = pytest.mark.django_db

URL = "/setup/"
IMPORTING = {
    "started_at": NOW - timedelta(minutes=2),
    "finished_at": None,
    "synced_at": None,
    "imported": 1_000,
    "total": 4_000,
}


@pytest.fixture(autouse=True)
def _now(settings: Any) -> Iterator[None]:
    settings.GOODY_API_URL, settings.GOODY_API_KEY = "https://goody.example.test", "key"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def worker() -> None:
    health.record_heartbeat(health.SETTLING, now=NOW, is_forced=True)


@pytest.fixture
def keyless(settings: Any) -> None:
    settings.GOODY_API_KEY = ""


@pytest.fixture
def rejected(settings: Any) -> None:
    ApiLimits.objects.reject_key(settings.GOODY_API_KEY, now=timezone.now())


def steps(page: str) -> dict[str, str]:
    """Return the title of each step with its state."""
    found = re.findall(r'setup__step--(\w+)".*?<h2>(.*?)<span', page, re.DOTALL)
    return {title: state for state, title in found}


@pytest.mark.usefixtures("keyless")
def test_an_admin_is_told_which_setting_is_missing(as_role: Any) -> None:
    page = text_of(as_role("admin").get(URL))
    assert steps(page) == {
        "GOODY_API_KEY is not set": "wrong",
        "Goody accepts the key": "ahead",
        "No worker runs": "wrong",
        "Import of all orders": "ahead",
    }
    assert ".env.example" in page
    # The banner of other pages would say the same.
    assert page.count("GOODY_API_KEY is not set") == 1


@pytest.mark.usefixtures("rejected", "worker")
def test_an_admin_is_told_that_the_key_is_rejected_and_can_check_it(as_role: Any) -> None:
    page = text_of(as_role("admin").get(URL))
    assert steps(page)["Goody rejects the key"] == "wrong"
    assert steps(page)["A worker runs"] == "done"
    assert "Since 22 Nov 2026, 12:00 UTC." in page
    assert re.search(r'<form method="post" action="/system/">.*?Check the key', page, re.DOTALL)


@pytest.mark.usefixtures("worker")
def test_the_import_shows_how_far_it_is_and_how_long_it_takes(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING)
    page = text_of(as_role("admin").get(URL))
    assert steps(page) == {
        "The address of Goody and a key are set": "done",
        "Goody accepted the key": "done",
        "A worker runs": "done",
        "Import of all orders": "now",
    }
    assert '<progress max="4000" value="1000"' in page
    assert "1,000 of 4,000 orders" in page
    assert "about 6 min left" in page
    assert 'hx-trigger="every 5s"' in page


def test_no_estimate_is_shown_without_progress(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING)
    page = page_of(as_role)
    assert steps(page)["No worker runs"] == "wrong"
    assert steps(page)["Import of all orders"] == "halted"
    assert "1,000 of 4,000 orders" in page
    assert "(later)" not in page
    assert "min left" not in page


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"imported": 3_990}, "less than a minute left"),
        ({"total": None}, ""),
        ({"imported": 0}, ""),
        ({"started_at": NOW - timedelta(seconds=5)}, ""),
        ({"problem": "Goody is unreachable", "failing_since": NOW}, ""),
    ],
)
def test_the_time_left_is_told_only_where_it_can_be_estimated(
    as_role: Any, fields: dict[str, Any], left: str
) -> None:
    complete_sync(NOW, **{**IMPORTING, **fields})
    found = re.search(r'<p class="spread">.*?<span class="muted">(.*?)</span>', page_of(as_role))
    assert found
    assert found[1] == left


def page_of(as_role: Any, role: str = "admin") -> str:
    return text_of(as_role(role).get(URL))


@pytest.mark.usefixtures("worker")
def test_a_failing_import_names_the_problem(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING, problem="Goody is unreachable", failing_since=NOW)
    page = page_of(as_role)
    assert steps(page)["Import of all orders"] == "wrong"
    assert "Goody is unreachable." in page


@pytest.mark.usefixtures("worker")
def test_when_all_is_done_nothing_is_polled_and_the_list_is_next(as_role: Any) -> None:
    complete_sync(NOW, imported=4_000, total=4_000)
    answer = as_role("admin").get(URL)
    assert set(steps(text_of(answer)).values()) == {"done"}
    assert "hx-trigger" not in text_of(answer).partition('id="setup"')[2].partition(">")[0]
    assert has_link(answer, "Open the orders")


@pytest.mark.usefixtures("keyless")
def test_an_agent_is_told_whom_to_ask(as_role: Any) -> None:
    ada = as_role("admin", "ada").user
    gone = as_role("admin", "gone").user
    gone.is_active = False
    gone.save()
    page = page_of(as_role, "agent")
    assert "The dashboard has no working connection to Goody. An admin can mend that." in page
    assert f"Whom to ask: {ada.get_full_name()} (ada)" in page
    assert "GOODY_API_KEY" not in page.partition("<main")[2]


@pytest.mark.usefixtures("worker")
def test_an_agent_sees_the_import(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING)
    page = page_of(as_role, "viewer")
    assert "The orders are being imported." in page
    assert "1,000 of 4,000 orders" in page
    assert steps(page) == {}


def test_the_poll_gets_the_steps_alone(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING)
    part = text_of(as_role("admin").get("/setup/steps/"))
    assert part.lstrip().startswith('<div id="setup"')
    assert "<html" not in part


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        (None, "/setup/"),
        ({**IMPORTING, "imported": 0}, "/setup/"),
        (IMPORTING, "/orders/"),
        ({}, "/orders/"),
    ],
)
def test_the_first_page_is_the_setup_while_there_is_nothing_to_list(
    as_role: Any, fields: dict[str, Any] | None, place: str
) -> None:
    if fields is not None:
        complete_sync(NOW, **fields)
    assert as_role("agent").get("/").headers["Location"] == place


@pytest.mark.usefixtures("rejected")
def test_a_rejected_key_is_no_setup_once_all_orders_are_imported(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING)
    assert as_role("agent").get("/").headers["Location"] == "/setup/"
    SyncState.objects.update(finished_at=NOW)
    assert as_role("agent").get("/").headers["Location"] == "/orders/"


@pytest.mark.usefixtures("keyless")
@pytest.mark.parametrize(("role", "label"), [("admin", "Setup"), ("agent", "Whom to ask")])
def test_a_page_without_a_key_leads_to_the_setup(as_role: Any, role: str, label: str) -> None:
    answer = as_role(role).get("/orders/")
    assert answer.status_code == 503
    assert f'href="/setup/">{label}</a>' in text_of(answer)
