"""/orders/ from the index: filters, pages, the age of the index, and rows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.list_url import LivePosition
from orders.models import CreationTimeSource, Label, Order, State
from testing.domain import store_operation
from testing.faulty_server import FaultyServer, answer
from testing.list_pages import (
    COUNT,
    URL,
    active_filters_in,
    complete_sync,
    expected_ids,
    follow_pages,
    ids_in,
    link,
    listed_ids,
    row_of,
    store_new_orders,
    sync_status_in,
    text_of,
)
from testing.search_oracle import NOW, Oracle, store
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_time")]


@pytest.fixture
def agent(as_role: Any) -> Client:
    return as_role("agent")  # type: ignore[no-any-return]


# --- what is listed ---------------------------------------------------------------------------


SAID = [
    "q=ana",
    "q=okafor+tea",
    "q=mira+lee",
    "q=lee",
    "q=lee&sort=-created",
    "q=mira&sort=best&expires=14d",
    "q=al",
    "q=小龍",
    'q="van berg"',
    "q=-ana",
    "q=status:opened+-sender:lee",
    "q=100%25",
    'q="%26"',
    """q="o'"+-"/\"""",
    "status=opened",
    "status=failed&status=on_hold",
    "created_after=2026-10-01&created_before=2026-10-31",
    "expires=24h",
    "expires=3d",
    "expires=7d",
    "expires=14d",
    "expires=expired",
    "expires=never",
    "expires_after=2026-11-25&expires_before=2026-11-28",
    "workspace=sales",
    "sender=okafor",
    "product=mug",
    "brand=leaf",
    "swapped=yes",
    "swapped=no",
    "payment=pending",
    "delivery=trouble",
    "sort=created",
    "sort=-expires",
    "sort=amount",
    "sort=-recipient",
    "sort=recipient&status=opened&status=notified&brand=leaf",
    "expires=14d&sort=-created&q=a",
]


def test_each_filter_shows_exactly_the_matching_orders(agent: Client, full: Oracle) -> None:
    wanted = {said: expected_ids(full, said) for said in SAID}
    assert [said for said, found in wanted.items() if not found] == []
    assert {said: listed_ids(agent, said) for said in SAID} == wanted


def test_names_are_chosen_by_what_does_not_change_when_the_index_is_rebuilt(
    agent: Client, full: Oracle
) -> None:
    for kind in ("workspace", "sender", "product", "brand"):
        label = Label.objects.filter(kind=kind).exclude(name="").order_by("pk")[0]
        said = urlencode({kind: label.key})
        wanted = expected_ids(full, said)
        assert listed_ids(agent, said) == wanted
        assert wanted
        page = agent.get(f"{URL}?{said}")
        assert any(label.name in text for text in active_filters_in(page)), kind


def test_a_batch_by_its_id_and_its_beginning(agent: Client, full: Oracle) -> None:
    batch = str(next(row.order_batch_id for row in full.rows if row.order_batch_id))
    wanted = expected_ids(full, f"batch={batch}")
    assert listed_ids(agent, f"batch={batch}") == wanted
    assert listed_ids(agent, f"batch={batch[:13].upper()}") == wanted


def test_a_viewer_never_finds_an_order_by_its_message(
    as_role: Any, agent: Client, full: Oracle
) -> None:
    with_messages = expected_ids(full, "q=danke")
    assert with_messages
    assert listed_ids(agent, "q=danke") == with_messages
    viewer = as_role("viewer")
    assert (
        listed_ids(viewer, "q=danke")
        == expected_ids(full, "q=danke", may_search_messages=False)
        == []
    )
    assert "No order matches “danke”" in text_of(viewer.get(f"{URL}?q=danke"))


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["", "sort=recipient", "sort=-expires"])
def test_next_and_previous_pages_have_the_same_rows(agent: Client, full: Oracle, said: str) -> None:
    first = f"{URL}?{said}&per_page=25"
    pages = follow_pages(agent, first)
    assert [one for page in pages for one in page] == expected_ids(full, said)
    assert {len(page) for page in pages} == {25}
    last = link(agent.get(first), "Last")
    assert follow_pages(agent, last, "Previous") == pages[::-1]
    assert ids_in(agent.get(link(agent.get(last), "First"))) == pages[0]


def test_pager_shows_the_range(agent: Client, full: Oracle) -> None:
    response = agent.get(f"{URL}?per_page=25")
    assert "150 orders" in text_of(response)
    assert "1–25 of 150" in text_of(response)
    response = agent.get(link(response, "Next"))
    assert "26–50 of 150" in text_of(response)
    assert "1–25 of 150" in text_of(agent.get(link(response, "Previous")))
    assert "126–150 of 150" in text_of(agent.get(link(response, "Last")))
    assert "Go to page" not in text_of(response)


def test_a_count_that_would_take_long_ends_with_a_plus(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.services.searching.MOST_COUNTED", 100)
    response = agent.get(f"{URL}?q=example&per_page=25")
    assert '<p class="muted">100+ of 150</p>' in text_of(response)
    assert "1–25 of 100+" in text_of(response)
    last = agent.get(link(response, "Last"))
    assert "The last 25" in text_of(last)
    assert ids_in(last) == expected_ids(full, "q=example")[-25:]


def test_a_count_is_never_less_than_the_shown_rows(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.services.searching.MOST_COUNTED", 10)
    response = agent.get(f"{URL}?q=example&per_page=25")
    assert "1–25 of 25+" in text_of(response)
    assert "26–50 of 50+" in text_of(agent.get(link(response, "Next")))


def test_new_orders_do_not_shift_the_pages(agent: Client, full: Oracle) -> None:
    first = agent.get(f"{URL}?per_page=25")
    pages = follow_pages(agent, f"{URL}?per_page=25")
    newest = store_new_orders(3)
    assert ids_in(agent.get(link(first, "Next"))) == pages[1]
    assert ids_in(agent.get(f"{URL}?per_page=25")) == newest + pages[0][:22]


def test_position_in_the_live_list_shows_the_first_page(agent: Client, full: Oracle) -> None:
    place = LivePosition(page=3).with_time_bound(NOW).serialize()
    response = agent.get(URL, {"position": place})
    assert ids_in(response) == expected_ids(full, "")[:50]


def test_a_filter_change_returns_to_page_one(agent: Client, full: Oracle) -> None:
    second = agent.get(link(agent.get(f"{URL}?q=a&per_page=25"), "Next"))
    for url in [*active_filters_in(second).values(), link(second, "Expires")]:
        assert "position" not in parse_qs(urlsplit(url).query)
    form = re.search(r'<form id="filters".*?</form>', text_of(second), re.DOTALL)
    assert form
    assert "position" not in form[0]
    assert '<input type="hidden" name="per_page" value="25">' in form[0]


# --- which list it is, and how old ------------------------------------------------------------


def test_the_list_is_goodys_own_until_every_order_was_read_once(
    agent: Client, emulator: Emulator
) -> None:
    store(20)
    complete_sync(NOW, finished_at=None, imported=412_000, total=1_000_000)
    for said in ("", "created_after=2026-01-01", "per_page=25"):
        page = agent.get(f"{URL}?{said}")
        assert "newest first as Goody gives them" in text_of(page)
        assert "412,000 of 1,000,000 orders imported" in text_of(page)
        assert "This list is Goody's own." in text_of(page)
        assert "Not found here" not in text_of(page)
    assert emulator.calls()["total"] == 3
    for said in ("q=ana", "status=opened", "sort=amount"):
        page = agent.get(f"{URL}?{said}")
        assert "412,000 of 1,000,000 orders imported" in text_of(page)
        assert "Not found here does not mean not there." in text_of(page)
        assert ids_in(page) == expected_ids(Oracle(), said)[:50]
    page = agent.get(f"{URL}?q=nobody")
    assert f'<p class="muted">0 of {Order.objects.count()} imported so far</p>' in text_of(page)
    assert emulator.calls()["total"] == 3
    complete_sync(NOW)
    assert ids_in(agent.get(URL)) == expected_ids(Oracle(), "")[:50]
    assert emulator.calls()["total"] == 3


def test_without_a_feed_the_age_is_that_of_the_newest_orders(agent: Client, full: Oracle) -> None:
    assert "once a night" not in text_of(agent.get(URL))
    complete_sync(NOW, is_feed_missing=True)
    at = "22 Nov 2026, 11:00 UTC"
    assert f"is read once a night, the last time on {at}." in text_of(agent.get(URL))
    complete_sync(NOW, is_feed_missing=True, reconciled_at=NOW - timedelta(minutes=1))
    at = "22 Nov 2026, 11:59 UTC"
    assert f"is read once a night, the last time on {at}." in text_of(agent.get(URL))


NOT_YET = "Creation dates are still being read: an order without one is sorted and filtered by"
NOT_TOLD = "Without the activity feed, an order may have no creation date until its page is opened:"


def test_a_list_says_that_creation_dates_are_estimates_while_some_are(
    agent: Client, full: Oracle
) -> None:
    def said() -> list[str]:
        page = text_of(agent.get(f"{URL}?q=a"))
        return [words for words in (NOT_YET, NOT_TOLD) if words in page]

    finished = NOW - timedelta(hours=1)
    complete_sync(NOW, imported=COUNT, finished_at=None)
    assert said() == [NOT_YET]
    complete_sync(NOW, imported=COUNT)
    assert said() == [NOT_YET]
    complete_sync(NOW, imported=COUNT, backfilled_at=finished - timedelta(seconds=1))
    assert said() == [NOT_YET]
    complete_sync(NOW, imported=COUNT, backfilled_at=finished)
    assert said() == []
    complete_sync(NOW, imported=COUNT, backfilled_at=finished, is_feed_missing=True)
    assert said() == [NOT_TOLD]
    complete_sync(NOW, imported=0, backfilled_at=None, is_feed_missing=False)
    assert said() == []


def test_goodys_own_list_is_sorted_by_no_estimate(agent: Client, emulator: Emulator) -> None:
    complete_sync(NOW, finished_at=None, imported=5)
    assert "estimate" not in text_of(agent.get(URL))


def test_searching_before_the_first_sync_says_what_is_known(agent: Client) -> None:
    page = text_of(agent.get(f"{URL}?sort=amount"))
    assert "The orders have not been imported yet" in page
    assert "No order has been imported yet" in page


def test_a_list_from_the_index_says_how_old_it_is(agent: Client, full: Oracle) -> None:
    page = agent.get(URL)
    assert sync_status_in(page) == "synced 40 s ago"
    assert text_of(page).count("40 s ago") == 1
    assert "This is our copy" not in text_of(page)
    complete_sync(
        NOW,
        synced_at=NOW - timedelta(hours=3),
        problem="Goody is unreachable",
        failing_since=NOW - timedelta(hours=3),
    )
    response = agent.get(URL)
    assert sync_status_in(response) == "synced 3 h ago: Goody is unreachable"
    assert "This is our copy of 22 Nov 2026, 09:00 UTC" in text_of(response)
    assert "Goody is unreachable, so that it cannot be brought up to date." in text_of(response)
    assert len(ids_in(response)) == 50


def test_a_list_from_the_index_never_waits_for_goody(
    agent: Client, full: Oracle, settings: Any
) -> None:
    with FaultyServer(answer(500, {})) as server:
        settings.GOODY_API_URL = server.url
        for said in ("", "q=ana", "q=zzzz", "status=opened"):
            assert agent.get(f"{URL}?{said}").status_code == 200
        assert server.requests == []


# --- rows -------------------------------------------------------------------------------------


def test_row_shows_the_values_of_the_index(agent: Client, full: Oracle) -> None:
    row = next(
        one
        for one in full.rows
        if one.status == "notified"
        and one.created_from == CreationTimeSource.FEED
        and one.quantity == 2
    )
    named = {"q": row.recipient_name, "status": "notified", "per_page": 100}
    shown_row = row_of(agent.get(URL, named), row.uuid)
    assert f'<a href="{row.uuid}/">' in shown_row
    assert row.recipient_name in shown_row
    assert f"2 × {full.labels[row.product_id].name}" in shown_row
    assert f"{row.uuid}/cancel/" in shown_row
    assert row.created_at
    assert f'<td class="created">{row.created_at.day} {row.created_at:%b}' in shown_row


def test_a_creation_time_that_is_only_near_is_not_shown_as_a_date(
    agent: Client, full: Oracle
) -> None:
    near = {str(row.uuid) for row in full.rows if row.created_from not in (2, 3)}
    page = agent.get(f"{URL}?per_page=100")
    blank = {one for one in ids_in(page) if 'class="created"></td>' in row_of(page, one)}
    assert blank == near & set(ids_in(page))
    assert blank


def test_an_order_that_goody_does_not_know_any_more_is_flagged(agent: Client, full: Oracle) -> None:
    missing = {str(row.uuid) for row in full.rows if row.missing_at}
    flagged = {one for page in follow_pages(agent, f"{URL}?per_page=100") for one in page}
    assert missing <= flagged
    page = agent.get(f"{URL}?per_page=100")
    said = {one for one in ids_in(page) if "Goody does not know it any more" in row_of(page, one)}
    assert said == missing & set(ids_in(page)) != set()
    offered = {one for one in ids_in(page) if f"{one}/cancel/" in row_of(page, one)}
    assert offered - said
    assert not offered & said


def test_open_writes_and_cancels_on_record_are_joined_in(agent: Client, full: Oracle) -> None:
    ended = next(row.uuid for row in full.rows if row.status == "failed")
    open_one = next(row.uuid for row in full.rows if row.status == "opened")
    store_operation(order_uuid=ended, state=State.APPLIED)
    store_operation(order_uuid=open_one, state=State.SENDING)
    page = agent.get(URL, {"status": ["failed", "opened"], "per_page": 100})
    assert ">Canceled<" in row_of(page, ended)
    assert "Canceling…" in row_of(page, open_one)
    assert 'hx-trigger="every 2s"' in row_of(page, open_one)


def test_a_row_names_the_hidden_field_that_matches(agent: Client, full: Oracle) -> None:
    page = agent.get(f"{URL}?q=people+team&per_page=100")
    rows = [row_of(page, one) for one in ids_in(page)]
    assert [row for row in rows if "Workspace: People team" not in row] == []
    page = agent.get(f"{URL}?q=danke")
    rows = [row_of(page, one) for one in ids_in(page)]
    assert [row for row in rows if "Found in a message" not in row] == []
    some = full.rows[0].uuid
    for beginning in (str(some)[:14], some.hex[:14]):
        page = agent.get(f"{URL}?q={beginning}")
        assert f"Order id: {some}" in row_of(page, some) or f"Order id: {some.hex}" in row_of(
            page, some
        )
    assert "matched" not in text_of(agent.get(URL))


@pytest.mark.parametrize("role", ["agent", "lead"])
def test_more_rows_cost_no_more_queries(
    as_role: Any, full: Oracle, settings: Any, role: str
) -> None:
    person = as_role(role)
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": uuid4().hex}}

    def cost(said: str) -> int:
        person.get(f"{URL}?{said}")
        with CaptureQueriesContext(connection) as captured:
            person.get(f"{URL}?{said}")
        asked = [one["sql"] for one in captured]
        # On PostgreSQL a separate statement sets the timeout.
        return len([one for one in asked if "SAVEPOINT" not in one and "set_config" not in one])

    # One of them finds the jobs of all rows, and one what the frame shows.
    assert cost("per_page=25") == cost("per_page=100") <= 11
    assert cost("q=example&per_page=25") == cost("q=example&per_page=50")
