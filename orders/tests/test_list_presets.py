"""The views that everybody has: the numbers beside them, and the orders that need attention."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from orders.list_columns import DEFAULT_COLUMNS
from orders.models import Operation, Profile, State
from testing.list_pages import URL, active_filters_in, expected_ids, ids_in, listed_ids, text_of
from testing.search_oracle import NOW, Oracle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_time")]
COUNTED = {
    "attention": "attention=yes",
    "expiring": "expires=7d",
    "expired": "expires=expired",
    "trouble": "delivery=trouble",
    "payment": "payment=pending",
}


@pytest.fixture
def agent(as_role: Any, settings: Any) -> Client:
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(uuid4())}}
    return as_role("agent")  # type: ignore[no-any-return]


def numbers_in(response: Any) -> dict[str, str]:
    return dict(re.findall(r'id="count-([a-z]+)"[^>]*>([\d,+]*)</span>', text_of(response)))


def test_numbers_come_later_and_are_kept_for_all(agent: Client, full: Oracle, as_role: Any) -> None:
    viewer = as_role("viewer")
    wanted = {key: str(len(expected_ids(full, said))) for key, said in COUNTED.items()}
    page = agent.get(URL)
    assert numbers_in(page) == dict.fromkeys(COUNTED, "")
    assert 'hx-get="/orders/counts/"' in text_of(page)
    assert numbers_in(agent.get("/orders/counts/")) == wanted
    again = viewer.get(URL)
    assert numbers_in(again) == wanted
    assert "/orders/counts/" not in text_of(again)


def test_numbers_that_would_be_late_are_left_out(
    agent: Client, full: Oracle, settings: Any
) -> None:
    known = numbers_in(agent.get("/orders/counts/"))
    settings.COUNTS_DEADLINE = 0.0
    assert numbers_in(agent.get("/orders/counts/")) == {}
    # A view without a number has no orders.
    assert numbers_in(agent.get(URL)) == known


@pytest.mark.parametrize("state", [State.UNKNOWN, State.NEEDS_HUMAN, State.APPLIED])
def test_an_order_with_an_unknown_outcome_needs_attention(
    agent: Client, full: Oracle, state: State
) -> None:
    quiet = expected_ids(full, "attention=no")[3]
    Operation.objects.create(
        order_uuid=quiet,
        action="order.cancel",
        state=state,
        actor=agent.user,  # type: ignore[attr-defined]
        actor_name="Ana",
        form_key=uuid4(),
        created_at=NOW,
        lease_until=NOW + timedelta(minutes=1),
    )
    found = Oracle()
    wanted = expected_ids(found, "attention=yes")
    assert (quiet in wanted) == (state != State.APPLIED)
    assert listed_ids(agent, "attention=yes") == listed_ids(agent, "q=is:attention") == wanted
    assert listed_ids(agent, "attention=no") == expected_ids(found, "attention=no")


def test_a_relative_month_is_kept_as_it_is_written(agent: Client, full: Oracle) -> None:
    page = agent.get(f"{URL}?created=this-month")
    assert active_filters_in(page) == {"Created: this month": URL}
    assert ids_in(page) == ids_in(agent.get(f"{URL}?q=created:this-month"))
    assert 'name="query" value="created=this-month' not in text_of(page)
    changed = text_of(agent.get(f"{URL}?created=this-month&sort=amount"))
    columns = "%2C".join(DEFAULT_COLUMNS)
    saved = f"created=this-month&columns={columns}&sort=amount"
    assert f'name="query" value="{saved}"' in changed


def test_columns_are_those_of_the_person_and_those_of_a_view_its_own(
    agent: Client, full: Oracle
) -> None:
    user = agent.user  # type: ignore[attr-defined]
    chosen = {"columns": ["recipient", "receipt"], "order": ["recipient", "receipt", "gift"]}
    move_column = agent.post("/orders/columns/?q=tea", {**chosen, "up": "receipt"})
    assert move_column.status_code == 200
    names = re.findall(r'name="columns" value="(\w+)"( checked)?', text_of(move_column))
    assert names[:3] == [("receipt", " checked"), ("recipient", " checked"), ("gift", "")]
    answer = agent.post("/orders/columns/?q=tea&columns=status", chosen)
    assert (answer.status_code, answer["Location"]) == (303, f"{URL}?q=tea")
    assert Profile.objects.get(user=user).columns == "recipient,receipt"
    answer = agent.post("/orders/columns/?q=tea&view=1", {"reset": "yes"})
    assert answer["Location"].startswith(f"{URL}?q=tea&view=1&columns=recipient%2Cgift%2C")
    assert agent.get(answer["Location"]).context["columns"] == DEFAULT_COLUMNS
    assert Profile.objects.get(user=user).columns == "recipient,receipt"
    answer = agent.post("/orders/columns/", {"reset": "yes"})
    assert Profile.objects.get(user=user).columns == ""
