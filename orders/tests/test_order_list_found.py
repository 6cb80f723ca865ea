"""/orders/ from the index: filters, sorting, pages, how old it is, and why it may be empty.

Both databases answer from the same orders; what must be found is said by the oracle in plain
Python (finding.py).
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from goody.types import CANCELABLE, ORDER_STATUSES
from orders import index
from orders.days import Clock
from orders.forms.listing import ListingForm
from orders.index import Created, Row
from orders.list_url import LivePosition
from orders.models import CreatedFrom, Label, Order, OrderPayload, State
from orders.search import labels
from orders.search.paging import Finder
from orders.search.parse import parse_query
from testing.domain import operation
from testing.faulty_server import FaultyServer, answer
from testing.list_pages import (
    RESULTS,
    TYPING,
    URL,
    active_in,
    changes_in,
    changes_url,
    complete_sync,
    ids_in,
    link,
    row_of,
    sync_status_in,
    text_of,
    walk,
)
from testing.search_oracle import NOW, Oracle, make_rows, store, uuid
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

COUNT = 150


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def agent(as_role: Any) -> Client:
    return as_role("agent")  # type: ignore[no-any-return]


@pytest.fixture
def full(agent: Client) -> Oracle:
    """An index that was filled."""
    store(COUNT)
    complete_sync(NOW)
    return Oracle()


def expected(oracle: Oracle, said: str, *, may_search_messages: bool = True) -> list[str]:
    """What the oracle finds for the parameters, in the order of the list."""
    form = ListingForm(QueryDict(said))
    assert form.is_valid(), form.errors
    filters, zone = form.filters, ZoneInfo("UTC")
    box = parse_query(filters.q, now=NOW, zone=zone)
    asked = filters.query(Clock(NOW, zone), labels.id_of).merged(box.query)
    query = replace(
        asked, sort=filters.sort, names=box.names, may_search_messages=may_search_messages
    )
    return [str(one) for one in oracle.find(query)]


def shown(client: Client, said: str) -> list[str]:
    """All rows of the list, page by page."""
    return [one for page in walk(client, f"{URL}?{said}&per_page=100") for one in page]


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


def test_each_filter_shows_exactly_what_it_asks_for(agent: Client, full: Oracle) -> None:
    wanted = {said: expected(full, said) for said in SAID}
    assert [said for said, found in wanted.items() if not found] == []
    assert {said: shown(agent, said) for said in SAID} == wanted


def test_names_are_chosen_by_what_does_not_change_when_the_index_is_rebuilt(
    agent: Client, full: Oracle
) -> None:
    for kind in ("workspace", "sender", "product", "brand"):
        label = Label.objects.filter(kind=kind).exclude(name="").order_by("pk")[0]
        said = urlencode({kind: label.key})
        wanted = expected(full, said)
        assert shown(agent, said) == wanted
        assert wanted
        page = agent.get(f"{URL}?{said}")
        assert any(label.name in text for text in active_in(page)), kind


def test_a_batch_by_its_id_and_its_beginning(agent: Client, full: Oracle) -> None:
    batch = str(next(row.order_batch_id for row in full.rows if row.order_batch_id))
    wanted = expected(full, f"batch={batch}")
    assert shown(agent, f"batch={batch}") == wanted
    assert shown(agent, f"batch={batch[:13].upper()}") == wanted


def test_a_viewer_never_finds_an_order_by_its_message(
    as_role: Any, agent: Client, full: Oracle
) -> None:
    with_messages = expected(full, "q=danke")
    assert with_messages
    assert shown(agent, "q=danke") == with_messages
    viewer = as_role("viewer")
    assert shown(viewer, "q=danke") == expected(full, "q=danke", may_search_messages=False) == []
    assert "No order matches “danke”" in text_of(viewer.get(f"{URL}?q=danke"))


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["", "sort=recipient", "sort=-expires"])
def test_pages_lead_forward_and_back_to_the_same_rows(
    agent: Client, full: Oracle, said: str
) -> None:
    first = f"{URL}?{said}&per_page=25"
    pages = walk(agent, first)
    assert [one for page in pages for one in page] == expected(full, said)
    assert {len(page) for page in pages} == {25}
    last = link(agent.get(first), "Last")
    assert walk(agent, last, "Previous") == pages[::-1]
    assert ids_in(agent.get(link(agent.get(last), "First"))) == pages[0]


def test_the_pager_says_where_one_is(agent: Client, full: Oracle) -> None:
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
    assert "100+ orders" in text_of(response)
    assert "1–25 of 100+" in text_of(response)
    last = agent.get(link(response, "Last"))
    assert "The last 25" in text_of(last)
    assert ids_in(last) == expected(full, "q=example")[-25:]


def test_a_count_is_never_less_than_what_stands_there(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.services.searching.MOST_COUNTED", 10)
    response = agent.get(f"{URL}?q=example&per_page=25")
    assert "1–25 of 25+" in text_of(response)
    assert "26–50 of 50+" in text_of(agent.get(link(response, "Next")))


def test_what_comes_meanwhile_does_not_shift_the_pages(agent: Client, full: Oracle) -> None:
    first = agent.get(f"{URL}?per_page=25")
    pages = walk(agent, f"{URL}?per_page=25")
    newest = arrive(3)
    assert ids_in(agent.get(link(first, "Next"))) == pages[1]
    assert ids_in(agent.get(f"{URL}?per_page=25")) == newest + pages[0][:22]


def arrive(count: int) -> list[str]:
    """So many orders that were created at this moment, newest first."""
    rows = [
        Row(row.raw.replace(str(uuid("order", number)).encode(), str(uuid4()).encode()), at)
        for number, row in enumerate(make_rows(count, seed=9))
        if (at := Created(NOW, CreatedFrom.FEED))
    ]
    index.upsert_rows(rows, read_at=NOW)
    return [str(one.uuid) for one in Order.objects.order_by("-id")[:count]]


def test_a_place_of_goodys_list_is_the_first_page(agent: Client, full: Oracle) -> None:
    place = LivePosition(page=3).frozen(NOW).serialize()
    response = agent.get(URL, {"position": place})
    assert ids_in(response) == expected(full, "")[:50]


def test_a_filter_change_returns_to_page_one(agent: Client, full: Oracle) -> None:
    second = agent.get(link(agent.get(f"{URL}?q=a&per_page=25"), "Next"))
    for url in [*active_in(second).values(), link(second, "Expires"), link(second, "Clear all")]:
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
        assert ids_in(page) == expected(Oracle(), said)[:50]
    assert '<p class="muted tabular">0 orders imported so far</p>' in text_of(
        agent.get(f"{URL}?q=nobody")
    )
    assert emulator.calls()["total"] == 3
    complete_sync(NOW)
    assert ids_in(agent.get(URL)) == expected(Oracle(), "")[:50]
    assert emulator.calls()["total"] == 3


def test_without_a_feed_the_age_is_said_to_be_that_of_the_newest(
    agent: Client, full: Oracle
) -> None:
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


def test_a_row_shows_what_the_index_knows(agent: Client, full: Oracle) -> None:
    row = next(
        one
        for one in full.rows
        if one.status == "notified" and one.created_from == CreatedFrom.FEED and one.quantity == 2
    )
    shown_row = row_of(agent.get(URL, {"q": str(row.uuid)}, headers=TYPING), row.uuid)
    assert f'href="/orders/{row.uuid}/?next=' in shown_row
    assert row.recipient_name in shown_row
    assert f"2 × {full.labels[row.product_id].name}" in shown_row
    assert f"/orders/{row.uuid}/cancel/" in shown_row
    assert f'<time datetime="{row.created_at:%Y-%m-%dT%H:%M:%SZ}">' in shown_row


def test_a_creation_time_that_is_only_near_is_not_shown_as_a_date(
    agent: Client, full: Oracle
) -> None:
    near = {str(row.uuid) for row in full.rows if row.created_from not in (2, 3)}
    page = agent.get(f"{URL}?per_page=100")
    blank = {one for one in ids_in(page) if "is-blank" in row_of(page, one)}
    assert blank == near & set(ids_in(page))
    assert blank


def test_an_order_that_goody_does_not_know_any_more_is_flagged(agent: Client, full: Oracle) -> None:
    missing = {str(row.uuid) for row in full.rows if row.missing_at}
    flagged = {one for page in walk(agent, f"{URL}?per_page=100") for one in page}
    assert missing <= flagged
    page = agent.get(f"{URL}?per_page=100")
    said = {one for one in ids_in(page) if "Goody does not know it any more" in row_of(page, one)}
    assert said == missing & set(ids_in(page)) != set()
    offered = {one for one in ids_in(page) if f"/orders/{one}/cancel/" in row_of(page, one)}
    assert offered - said
    assert not offered & said


def test_open_writes_and_cancels_on_record_are_joined_in(agent: Client, full: Oracle) -> None:
    ended = next(row.uuid for row in full.rows if row.status == "failed")
    open_one = next(row.uuid for row in full.rows if row.status == "opened")
    operation(order_uuid=ended, state=State.APPLIED)
    operation(order_uuid=open_one, state=State.SENDING)
    page = agent.get(URL, {"status": ["failed", "opened"], "per_page": 100})
    assert ">Canceled<" in row_of(page, ended)
    assert "Canceling…" in row_of(page, open_one)
    assert 'hx-trigger="every 2s"' in row_of(page, open_one)


def test_a_row_says_where_a_word_stands_that_it_does_not_show(agent: Client, full: Oracle) -> None:
    page = agent.get(f"{URL}?q=people+team&per_page=100")
    rows = [row_of(page, one) for one in ids_in(page)]
    assert all("Workspace: People team" in row for row in rows)
    page = agent.get(f"{URL}?q=danke")
    assert all("Found in a message" in row_of(page, one) for one in ids_in(page))
    some = full.rows[0].uuid
    for beginning in (str(some)[:14], some.hex[:14]):
        page = agent.get(f"{URL}?q={beginning}")
        assert f"Order id: {some}" in row_of(page, some) or f"Order id: {some.hex}" in row_of(
            page, some
        )
    assert "matched" not in text_of(agent.get(URL))


def test_more_rows_cost_no_more_queries(agent: Client, full: Oracle, settings: Any) -> None:
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": uuid4().hex}}

    def cost(said: str) -> int:
        agent.get(f"{URL}?{said}")
        with CaptureQueriesContext(connection) as captured:
            agent.get(f"{URL}?{said}")
        asked = [one["sql"] for one in captured]
        # PostgreSQL is told apart how long it may take.
        return len([one for one in asked if "SAVEPOINT" not in one and "set_config" not in one])

    assert cost("per_page=25") == cost("per_page=100") <= 11
    assert cost("q=example&per_page=25") == cost("q=example&per_page=50")


# --- nothing to show --------------------------------------------------------------------------


def test_no_match_repeats_what_was_asked_and_offers_to_drop_each(
    agent: Client, full: Oracle
) -> None:
    page = agent.get(f"{URL}?q=okafor&status=opened&created_before=2020-01-01")
    assert "No order matches “okafor”" in text_of(page)
    assert "Looked for: “okafor”; Status: opened; Created until 1 Jan 2020." in text_of(page)
    assert "There are no orders" not in text_of(page)
    assert "0 orders" in text_of(page)
    assert 'aria-label="Pages"' not in text_of(page)
    named, all_of_them = len(expected(full, "q=okafor")), len(expected(full, ""))
    assert link(page, f"Search among all orders ({named} orders)") == f"{URL}?q=okafor"
    both = len(expected(full, "q=okafor&status=opened"))
    assert both > 1
    assert link(page, f"Without Created until 1 Jan 2020 ({both} orders)") == (
        f"{URL}?q=okafor&status=opened"
    )
    assert link(page, f"All orders ({all_of_them} orders)") == URL
    # Nothing was created before 2020.
    assert "Without Status: opened" not in text_of(page)
    assert "Without “okafor”" not in text_of(page)


def _a_name_without_two_statuses(full: Oracle) -> tuple[str, list[str]]:
    """Words that match several orders, and two statuses that none of these has."""
    for words in map("+".join, product(("ana", "mira", "al"), ("okafor", "lee", "mai"))):
        found = set(expected(full, f"q={words}"))
        statuses = [
            one for one in ORDER_STATUSES if found.isdisjoint(expected(full, f"status={one}"))
        ]
        if len(found) > 1 and len(statuses) > 1:
            return words, statuses[:2]
    raise AssertionError("every name has every status")


@pytest.mark.parametrize(
    "said", ["&status={}&status={}", "+status:{}+status:{}", "+status:{}&status={}"]
)
def test_alternatives_are_removed_together(agent: Client, full: Oracle, said: str) -> None:
    """Without one of several statuses there are fewer orders, not more."""
    words, statuses = _a_name_without_two_statuses(full)
    page = agent.get(f"{URL}?q={words}{said.format(*statuses)}")
    count = len(expected(full, f"q={words}"))
    assert link(page, f"Without Status ({count} orders)") == f"{URL}?q={words}"
    assert "Without Status: " not in text_of(page)


def test_remedies_that_are_not_counted_in_time_have_no_count(
    agent: Client, full: Oracle, settings: Any
) -> None:
    settings.COUNTS_DEADLINE = 0
    page = agent.get(f"{URL}?q=okafor&status=opened&status=paid&created_before=2020-01-01")
    assert link(page, "Search among all orders") == f"{URL}?q=okafor"
    assert link(page, "Without Status") == f"{URL}?q=okafor&created_before=2020-01-01"
    assert link(page, "All orders") == URL
    assert "Without Status: " not in text_of(page)


def test_an_account_without_orders_is_not_a_search_without_a_match(agent: Client) -> None:
    complete_sync(NOW)
    assert "There are no orders yet" in text_of(agent.get(URL))
    assert "No order matches" in text_of(agent.get(f"{URL}?status=opened"))


def test_what_takes_too_long_is_never_called_empty(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.paging.SECONDS", 0.0)
    page = agent.get(f"{URL}?q=ana&per_page=25")
    assert "Too broad: add a date or a status" in text_of(page)
    assert "No order matches" not in text_of(page)
    assert "0 orders" not in text_of(page)
    assert "<table" not in text_of(page)
    assert link(page, "Clear all") == f"{URL}?per_page=25"


def test_what_the_question_itself_takes_too_long_for_is_too_broad_as_well(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    monkeypatch.setattr("orders.search.labels.SECONDS", 0.0)
    monkeypatch.setattr("orders.search.paging.SECONDS", 0.0)
    for said in ({"sender": "lee@sender.example.com"}, {"q": str(uuid4())}):
        page = agent.get(URL, said)
        assert page.status_code == 503
        assert "Too broad: add a date or a status" in text_of(page)
        assert "No order matches" not in text_of(page)
        assert "not in our copy" not in text_of(page)
        # What the page asks for by itself is left out.
        for part in ("facets", "changes"):
            assert agent.get(f"/orders/{part}/", said).status_code == 204
    assert emulator.calls()["total"] == 0


def too_late(finder: Finder, _limit: int) -> None:
    """As the count itself, in what is left of no time."""
    finder.context.deadline._until = 0
    finder.context.deadline.rows("SELECT 1")


def test_a_count_that_takes_too_long_does_not_cost_the_list(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.paging.Finder.count", too_late)
    page = agent.get(f"{URL}?q=example&per_page=25")
    assert "Too many to count" in text_of(page)
    assert ids_in(page) == expected(full, "q=example")[:25]


# --- bad input --------------------------------------------------------------------------------


def test_an_operator_that_cannot_be_read_gets_a_sentence_and_shows_nothing(
    agent: Client, full: Oracle
) -> None:
    page = agent.get(URL, {"q": "ana expires:<7x"})
    assert page.status_code == 400
    assert "“expires:<7x” is not understood; write expires:<7d" in text_of(page)
    assert 'value="ana expires:<7x"' in text_of(page)
    assert ids_in(page) == []
    typing = agent.get(URL, {"q": "ana expires:<7x"}, headers=TYPING)
    assert typing.status_code == 200
    assert "“expires:<7x” is not understood" in text_of(typing)
    assert ids_in(typing) == expected(full, "q=ana")[:50]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"batch": "not-a-batch"}, 'name="batch"'),
        ({"expires_after": "soon"}, 'value="soon"'),
        ({"sort": "nothing"}, ""),
        ({"position": "x"}, ""),
        ({"q": "a\x00b"}, ""),
        ({"status": "a\x00b"}, ""),
        ({"finding": "1"}, ""),
    ],
)
def test_what_makes_no_sense_is_a_400_with_what_was_typed(
    agent: Client, said: dict[str, str], kept: str
) -> None:
    complete_sync(NOW)
    page = agent.get(URL, said)
    assert page.status_code == 400
    assert 'id="list-errors"' in text_of(page)
    assert kept in text_of(page)


@pytest.mark.parametrize("text", ["%", "_", "\\", '"', "'", "-", "a" * 10_000, "🎁", ") OR 1=1 --"])
def test_anything_may_be_typed(agent: Client, text: str) -> None:
    store(5)
    complete_sync(NOW)
    assert agent.get(URL, {"q": text}).status_code in (200, 400)


def test_what_is_typed_is_escaped(agent: Client, full: Oracle) -> None:
    content = agent.get(URL, {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert(1)" not in content
    assert "&lt;script&gt;alert(1)" in content


# --- the box ----------------------------------------------------------------------------------


def names_one(row: Order) -> dict[str, str]:
    return {
        "id": str(row.uuid),
        "id without dashes": row.uuid.hex.upper(),
        "address of its page": f"https://goody.example.com/orders/{row.uuid}/",
        "reference": row.reference_id,
        "reference in small letters": row.reference_id.lower(),
    }


def test_one_exact_hit_leads_straight_to_the_order_but_not_while_typing(
    agent: Client, full: Oracle
) -> None:
    row = full.rows[0]
    for what, text in names_one(row).items():
        response = agent.get(URL, {"q": text, "status": "delivered"})
        assert (what, response.status_code) == (what, 303)
        assert response["Location"] == f"/orders/{row.uuid}/"
        by_htmx = agent.get(URL, {"q": text}, headers={**RESULTS, "HX-Source": "form#filters"})
        assert (by_htmx.status_code, by_htmx["HX-Redirect"]) == (200, f"/orders/{row.uuid}/")
        typing = agent.get(URL, {"q": text}, headers=TYPING)
        assert ids_in(typing) == [str(row.uuid)]
        assert typing["HX-Replace-Url"] == "false"
        assert "HX-Redirect" not in typing


def test_a_gift_link_leads_to_the_order_and_is_not_repeated(agent: Client, full: Oracle) -> None:
    row, token = _newest(full)[5], "TokenOfOneGift"
    link_given = f"https://gifts.example.com/gift/{token}"
    change(row, NOW + timedelta(minutes=1), individual_gift_link=link_given)
    for text in (link_given, f"(https://elsewhere.test/gift/{token}/)"):
        response = agent.get(URL, {"q": text})
        assert (response.status_code, response["Location"]) == (303, f"/orders/{row.uuid}/")
    typing = agent.get(URL, {"q": link_given}, headers=TYPING)
    assert active_in(typing) == {"A gift link": URL}


def test_a_batch_and_an_address_open_the_list_of_their_orders(agent: Client, full: Oracle) -> None:
    row = next(one for one in full.rows if one.order_batch_id and one.recipient_email)
    batch = [str(one.uuid) for one in _newest(full) if one.order_batch_id == row.order_batch_id]
    page = agent.get(URL, {"q": str(row.order_batch_id)})
    assert ids_in(page) == batch
    assert active_in(page) == {f"Batch: {row.order_batch_id}": URL}
    address = [str(one.uuid) for one in _newest(full) if one.email_key == row.email_key]
    page = agent.get(URL, {"q": f"<{row.recipient_email.upper()}>,"})
    assert ids_in(page) == address
    assert active_in(page) == {f"To {row.email_key}": URL}
    part = row.recipient_email.partition("@")[0]
    assert set(address) <= set(ids_in(agent.get(URL, {"q": part, "per_page": 100})))


def test_several_addresses_are_narrowed_by_what_else_the_box_says(
    agent: Client, full: Oracle
) -> None:
    addresses = Counter(row.email_key for row in full.rows if row.email_key)
    (a, _), (b, _) = addresses.most_common(2)
    statuses = {row.status for row in full.rows if row.email_key == b}
    status = next(one for one in CANCELABLE if one in statuses)
    said: dict[str, Callable[[Order], bool]] = {
        f"{a}, {b}": lambda row: row.email_key in (a, b),
        f"status:{status} {a} {b}": lambda row: row.email_key in (a, b) and row.status == status,
        f"{a} {b} -status:{status}": lambda row: row.email_key in (a, b) and row.status != status,
        f"-{a} -{b}": lambda row: row.email_key not in (a, b),
        f"{a} -{b}": lambda row: row.email_key == a,
        f"-{a} status:{status} {b}": lambda row: row.email_key == b and row.status == status,
    }
    for text, matches in said.items():
        wanted = [str(row.uuid) for row in _newest(full) if matches(row)]
        assert wanted
        assert (text, shown(agent, urlencode({"q": text}))) == (text, wanted)


def test_the_orders_that_a_text_names_are_one_condition(agent: Client, full: Oracle) -> None:
    row, other = _newest(full)[0], _newest(full)[1]
    named = f"{row.uuid} {other.uuid} {row.email_key}"
    assert active_in(agent.get(URL, {"q": f"status:opened {named} -lee"})) == {
        "Not “lee”": f"{URL}?{urlencode({'q': f'status:opened {named}'})}",
        "Status: opened": f"{URL}?{urlencode({'q': f'{named} -lee'})}",
        f"2 orders by their id or To {row.email_key}": (
            f"{URL}?{urlencode({'q': 'status:opened -lee'})}"
        ),
    }


def _newest(oracle: Oracle) -> list[Order]:
    return sorted(oracle.rows, key=lambda row: -row.pk)


def test_an_unknown_id_is_asked_of_goody_once(
    agent: Client, full: Oracle, emulator: Emulator
) -> None:
    known = emulator.find_id()
    typing = agent.get(URL, {"q": known}, headers=TYPING)
    assert emulator.calls()["total"] == 0
    assert link(typing, "Ask Goody for this id") == f"/orders/{known}/"
    response = agent.get(URL, {"q": known})
    assert (response.status_code, response["Location"]) == (303, f"/orders/{known}/")
    assert emulator.calls()["total"] == 1
    unknown = str(uuid4())
    page = agent.get(URL, {"q": unknown})
    assert page.status_code == 200
    assert "Goody does not know it either" in text_of(page)
    assert unknown in text_of(page)
    assert emulator.calls()["total"] == 2


def test_an_unknown_id_while_goody_is_down_says_that_it_could_not_be_asked(
    agent: Client, full: Oracle, emulator: Emulator
) -> None:
    emulator.fault({"kind": "status", "status": 503})
    unknown = str(uuid4())
    page = agent.get(URL, {"q": unknown})
    assert "Goody could not be asked" in text_of(page)
    assert "does not know it" not in text_of(page)
    assert link(page, "Ask again") == f"/orders/{unknown}/"


def test_the_box_stands_on_every_page_and_keeps_what_was_typed(agent: Client, full: Oracle) -> None:
    for path in ("/audit/", "/settings/"):
        page = text_of(agent.get(path))
        assert re.search(r'<form class="box" action="/orders/"[^>]*>', page)
        assert '<input type="search" name="q"' in page
    page = text_of(agent.get(URL, {"q": "ana  status:OPENED"}))
    assert 'name="q" form="filters" value="ana  status:OPENED"' in page
    assert "status:opened,notified" in page  # the help


def test_somebody_without_a_role_has_no_box(as_role: Any) -> None:
    assert 'name="q"' not in text_of(as_role("").get("/settings/"))


# --- htmx -------------------------------------------------------------------------------------


def test_typing_gets_the_results_alone_and_puts_the_lists_own_address(
    agent: Client, full: Oracle
) -> None:
    said = {"q": "ana", "status": ["opened", "notified"], "created_after": "", "sender": ""}
    part = agent.get(URL, said, headers=TYPING)
    assert part.content.decode().lstrip().startswith('<section id="results"')
    assert 'name="q"' not in part.content.decode()
    assert part["HX-Replace-Url"] == f"{URL}?q=ana&status=opened&status=notified"
    assert "HX-Push-Url" not in part
    sent = agent.get(URL, said, headers={**RESULTS, "HX-Source": "form#filters"})
    assert sent["HX-Push-Url"] == f"{URL}?q=ana&status=opened&status=notified"
    assert "HX-Replace-Url" not in sent
    by_link = agent.get(URL, said, headers={**RESULTS, "HX-Source": "a"})
    assert "HX-Push-Url" not in by_link


def test_every_target_of_the_page_is_on_it_once(agent: Client, full: Oracle) -> None:
    content = agent.get(f"{URL}?q=ana").content.decode()
    targets = set(re.findall(r'hx-(?:target|include)="#([\w-]+)', content))
    names = {f"{kind}-names" for kind in ("workspace", "sender", "product", "brand")}
    assert targets == {"results", "dialog-body", "filters", *names}
    for target in targets:
        assert content.count(f'id="{target}"') == 1
    ids = re.findall(r' id="([^"]+)"', content)
    assert len(ids) == len(set(ids))


# --- counts beside the choices ----------------------------------------------------------------


@pytest.mark.parametrize("seconds", [5, 0], ids=["in time", "too late to count"])
def test_the_names_of_the_filters_are_there_without_their_counts(
    agent: Client, full: Oracle, settings: Any, seconds: float
) -> None:
    settings.COUNTS_DEADLINE = seconds
    page = text_of(agent.get(f"{URL}?sort=amount"))
    for kind in ("workspace", "sender", "product", "brand"):
        names = re.search(rf'<ul class="pick__links" id="top-{kind}">(.*?)</ul>', page)
        assert names
        links = re.findall(r'<a href="([^"]*)"[^>]*>.+?</a><span class="count"></span>', names[1])
        assert links
        for address in links[:2]:
            narrowed = text_of(agent.get(html.unescape(address)))
            assert 'aria-label="Active filters"' in narrowed
            assert 'data-order-id="' in narrowed


def test_counts_that_come_too_late_leave_the_names(
    agent: Client, full: Oracle, settings: Any
) -> None:
    settings.COUNTS_DEADLINE = 0
    part = agent.get("/orders/facets/?status=opened")
    assert "top-" not in part.content.decode()


def counts_in(response: Any) -> dict[str, str]:
    found = re.findall(
        r'<span class="count" id="([^"]+)" hx-swap-oob="true">(.*?)</span>', text_of(response)
    )
    return dict(found)


def test_counts_come_on_their_own_for_places_that_are_on_the_page(
    agent: Client, full: Oracle
) -> None:
    page = agent.get(f"{URL}?status=opened&q=example")
    url = re.search(r'<div id="facets" hx-get="(.*?)"', text_of(page))
    assert url
    part = agent.get(url[1])
    counts = counts_in(part)
    assert counts["n-status-opened"] == str(len(expected(full, "q=example&status=opened")))
    assert counts["n-status-failed"] == str(len(expected(full, "q=example&status=failed")))
    assert counts["n-expires-7d"] == str(len(expected(full, "q=example&status=opened&expires=7d")))
    assert counts["n-swapped"] == str(len(expected(full, "q=example&status=opened&swapped=yes")))
    for place in counts:
        assert f'id="{place}"' in text_of(page)
    for kind in ("workspace", "sender", "product", "brand"):
        assert f'id="top-{kind}"' in text_of(page)
        assert f'<ul class="pick__links" id="top-{kind}" hx-swap-oob="true">' in text_of(part)
    common = re.findall(
        r'<li><a href="([^"]*)"[^>]*>.*?</a><span class="count">(\d+)<', part.content.decode()
    )
    assert len(common) > 10
    for address, n in common:
        narrowed = text_of(agent.get(html.unescape(address)))
        assert f'tabular">{n} order' in narrowed, address


def test_a_count_that_would_be_late_is_left_out(agent: Client, full: Oracle, settings: Any) -> None:
    settings.COUNTS_DEADLINE = 0.0
    part = agent.get("/orders/facets/?q=ana")
    assert part.status_code == 200
    assert counts_in(part) == {}


# --- names to choose from ---------------------------------------------------------------------


def test_names_that_hold_what_is_typed_are_offered(agent: Client, full: Oracle) -> None:
    part = text_of(agent.get("/orders/choices/sender/", {"sender": "OKAF"}))
    assert re.findall(r'<option value="(.*?)">(.*?)</option>', part) == [
        ("lee@sender.example.com", "Lee Okafor <lee@sender.example.com>")
    ]
    everybody = text_of(agent.get("/orders/choices/workspace/"))
    assert re.findall(r">(.*?)</option>", everybody) == ["Mai", "People team", "Sales"]
    assert agent.get("/orders/choices/nonsense/").status_code == 404


def test_no_names_are_offered_where_finding_them_takes_too_long(
    agent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"Person {number}" for number in range(30_000)]
    Label.objects.bulk_create(
        Label(kind=Label.Kind.SENDER, key=one, name=one, folded=one.lower()) for one in names
    )
    in_time = agent.get("/orders/choices/sender/", {"sender": "29999"})
    assert "<option" in text_of(in_time)
    monkeypatch.setattr("orders.search.labels.SECONDS", 0.001)
    late = agent.get("/orders/choices/sender/", {"sender": "29999"})
    assert (late.status_code, late.content) == (204, b"")


# --- changes -------------------------------------------------------------------------------------


def change(row: Order, at: Any, **fields: Any) -> None:
    raw = msgspec.json.decode(OrderPayload.objects.get(pk=row.pk).raw)
    index.upsert_rows([Row(msgspec.json.encode({**raw, **fields}), None)], read_at=at)


def test_a_page_learns_what_has_changed_and_what_is_new(agent: Client, full: Oracle) -> None:
    later = NOW + timedelta(minutes=1)
    page = agent.get(f"{URL}?per_page=25")
    url = changes_url(page)
    assert changes_in(agent.get(url)) == ""
    rows = _newest(full)
    change(rows[0], later, message="nothing that a row shows")
    assert changes_in(agent.get(url)) == ""
    later += timedelta(minutes=1)
    change(rows[0], later, recipient_first_name="Zelda")
    change(rows[3], later, status="delivered")
    change(rows[40], later, status="delivered")
    changes = agent.get(url)
    assert "2 changed – " in text_of(changes)
    arrive(1)
    changes = agent.get(url)
    assert "2 changed, 1 new – " in text_of(changes)
    assert link(changes, "Show") == f"{URL}?per_page=25"
    assert changes_url(changes) == url


def test_an_order_that_left_the_list_has_changed(agent: Client, full: Oracle) -> None:
    page = agent.get(f"{URL}?status=opened&per_page=25")
    row = Order.objects.get(uuid=ids_in(page)[0])
    change(row, NOW + timedelta(minutes=1), status="accepted")
    assert "1 changed – " in text_of(agent.get(changes_url(page)))


def test_changes_of_a_deeper_page(agent: Client, full: Oracle) -> None:
    second = agent.get(link(agent.get(f"{URL}?per_page=25"), "Next"))
    arrive(2)
    assert changes_in(agent.get(changes_url(second))) == ""
    change(_newest(full)[30], NOW + timedelta(minutes=1), status="on_hold", recipient_email="z@z.z")
    changes = agent.get(changes_url(second))
    assert "1 changed – " in text_of(changes)
    assert ids_in(agent.get(link(changes, "Show"))) == ids_in(second)


@pytest.mark.parametrize("seen", ["", "x", "AAAA", "%00", "A" * 5000])
def test_a_token_that_is_not_ours_shows_no_changes(agent: Client, seen: str) -> None:
    store(3)
    complete_sync(NOW)
    assert agent.get("/orders/changes/", {"seen": seen}).status_code in (200, 204)
