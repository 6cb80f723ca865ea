"""Recipients whose full name was typed come first; both groups are sorted newest first."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import time_machine
from django.test import Client

from orders import index
from orders.index import CreationTime, OrderOfResponse
from orders.models import CreationTimeSource
from testing.domain import order_json
from testing.list_pages import (
    URL,
    changes_in,
    changes_url,
    complete_sync,
    follow_pages,
    has_link,
    ids_in,
    link,
    text_of,
)
from testing.search_oracle import NOW, uuid
from testing.vendor import Emulator

from .test_related_orders import neighbors_in

pytestmark = pytest.mark.django_db

CALLED = [("Anna-Maria", "Chenoweth"), ("Maria", "Chen"), ("Maria", "Chen Jr."), ("Mariá", "CHEN")]
ASKED = f"{URL}?q=maria+chen&per_page=25"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def people() -> list[tuple[str, bool]]:
    """The ids of 120 orders in the index, newest first, and those of Maria Chen."""
    complete_sync(NOW)
    given = [(number, CALLED[number % 4]) for number in range(120)]
    index.upsert_rows([row(number, *name) for number, name in given], read_at=NOW)
    return [(id_of(number), name in (CALLED[1], CALLED[3])) for number, name in given]


def id_of(number: int) -> str:
    return str(uuid("called", number))


def row(number: int, first: str, last: str) -> OrderOfResponse:
    """Return an order created this number of minutes ago."""
    given = order_json(
        id=id_of(number), reference_id="", recipient_first_name=first, recipient_last_name=last,
        status=("opened", "accepted", "paid")[number % 3],
    )  # fmt: skip
    created = CreationTime(NOW - timedelta(minutes=number), CreationTimeSource.FEED)
    return OrderOfResponse(msgspec.json.encode(given), created)


def store_new_orders(number: int, last: str) -> str:
    """Upsert an order of Maria's created this number of minutes ago."""
    index.upsert_rows([row(number, "Maria", last)], read_at=NOW)
    return id_of(number)


def ranked(people: list[tuple[str, bool]]) -> list[str]:
    return [one for one, is_exact in sorted(people, key=lambda given: not given[1])]


@pytest.fixture
def agent(as_role: Any) -> Client:
    client: Client = as_role("agent")
    return client


def all_of(client: Client, url: str) -> list[str]:
    return [one for page in follow_pages(client, url) for one in page]


@pytest.mark.parametrize("text", ["maria chen", "  MARÍA chen ", "Chen, Maria", '"Maria Chen"'])
def test_orders_of_a_person_with_that_name_come_first(
    agent: Client, people: list[tuple[str, bool]], text: str
) -> None:
    assert ids_in(agent.get(URL, {"q": text, "per_page": "100"})) == ranked(people)[:100]


def test_plain_order_is_used_when_nobody_has_that_name(
    agent: Client, people: list[tuple[str, bool]]
) -> None:
    newest = [one for one, _ in people]
    for text, found in (("chen maria", newest), ("maria che", newest), ("jr maria", newest[2::4])):
        assert ids_in(agent.get(URL, {"q": text, "per_page": "100"})) == found[:100]


def test_the_list_says_that_the_best_match_is_first(
    agent: Client, people: list[tuple[str, bool]]
) -> None:
    page = text_of(agent.get(ASKED))
    assert "Orders, best match first. 1–25 of 120." in page
    assert 'aria-label="Sort: best match first"' in page
    assert "aria-sort" not in page
    without_words = text_of(agent.get(f"{URL}?q=status:opened"))
    assert "Orders, newest first." in without_words
    assert "Best match" not in without_words


def test_pages_lead_through_both_ranks_and_back(
    agent: Client, people: list[tuple[str, bool]]
) -> None:
    pages = follow_pages(agent, ASKED)
    assert [one for page in pages for one in page] == ranked(people)
    assert [len(page) for page in pages] == [25, 25, 25, 25, 20]
    assert {one for one, is_exact in people if is_exact} == {
        one for page in [*pages[:2], pages[2][:10]] for one in page
    }
    third = agent.get(link(agent.get(link(agent.get(ASKED), "Next")), "Next"))
    assert "51–75 of 120" in text_of(third)
    back = follow_pages(agent, link(agent.get(ASKED), "Last"), "Previous")
    assert [one for page in reversed(back) for one in page] == ranked(people)


def test_filters_narrow_both_ranks(agent: Client, people: list[tuple[str, bool]]) -> None:
    opened = [one for number, one in enumerate(people) if number % 3 == 0]
    assert all_of(agent, f"{ASKED}&status=opened") == ranked(opened)
    assert all_of(agent, f"{URL}?q=maria+chen+status:opened&per_page=25") == ranked(opened)


def sort_choices(agent: Client, url: str) -> Any:
    """Return the page of the filters and sorts of the list at `url`."""
    return agent.get(url.replace(URL, "/orders/filters/", 1))


def test_a_sort_that_was_chosen_takes_precedence(
    agent: Client, people: list[tuple[str, bool]]
) -> None:
    newest = [one for one, _ in people]
    head = re.search(r'href="([^"]*)" data-sort="[^"]*">Created</a>', text_of(agent.get(ASKED)))
    assert head
    by_head = head[1]
    assert by_head == f"{URL}?q=maria+chen&sort=-created&per_page=25"
    assert all_of(agent, by_head) == newest
    assert all_of(agent, f"{ASKED}&sort=created") == newest[::-1]
    back = link(sort_choices(agent, by_head), "Best match first")
    assert all_of(agent, back) == ranked(people)
    assert 'aria-current="true">Best match first</a>' in text_of(sort_choices(agent, back))
    window = f"{ASKED}&expires_after=2000-01-01"
    assert "soonest expiration first" in text_of(agent.get(window))
    assert has_link(sort_choices(agent, window), "Best match first")


def test_export_has_the_orders_of_the_list(as_role: Any, people: list[tuple[str, bool]]) -> None:
    lead = as_role("lead")
    content = b"".join(lead.get(f"/orders/export.csv?q={quote('Chen, Maria')}").streaming_content)
    rows = csv.DictReader(content.decode("utf-8-sig").splitlines())
    assert [row["order_id"] for row in rows] == ranked(people)


def test_order_page_shows_the_position_by_best_match(
    agent: Client, people: list[tuple[str, bool]], emulator: Emulator
) -> None:
    emulator.add_fault({"kind": "status", "status": 503})
    wanted = ranked(people)
    for at in (0, 5, 59, 60, 119):
        page = agent.get(f"/orders/{wanted[at]}/?next={quote(ASKED)}")
        beside = {"place": f"{at + 1} of 120"}
        if at > 0:
            beside["prev"] = wanted[at - 1]
        if at < 119:
            beside["next"] = wanted[at + 1]
        assert neighbors_in(text_of(page)) == beside


def test_new_orders_do_not_shift_either_rank(agent: Client, people: list[tuple[str, bool]]) -> None:
    first = agent.get(ASKED)
    pages = follow_pages(agent, ASKED)
    newest, other = store_new_orders(-1, "Chen"), store_new_orders(-2, "Chenard")
    assert ids_in(agent.get(link(first, "Next"))) == pages[1]
    assert all_of(agent, ASKED) == [newest, *ranked(people)[:60], other, *ranked(people)[60:]]


def test_list_continues_when_the_named_person_has_no_orders_any_more(
    agent: Client, people: list[tuple[str, bool]]
) -> None:
    first = agent.get(ASKED)
    renamed = [row(n, "Maria", "Chenier") for n, (_, is_exact) in enumerate(people) if is_exact]
    index.upsert_rows(renamed, read_at=NOW + timedelta(minutes=1))
    others = [one for one, is_exact in people if not is_exact]
    assert set(others) <= set(all_of(agent, link(first, "Next")))
    assert all_of(agent, ASKED) == [one for one, _ in people]


def test_page_announces_a_better_match(agent: Client, people: list[tuple[str, bool]]) -> None:
    watch = changes_url(agent.get(ASKED))
    store_new_orders(-1, "Chenard")
    assert changes_in(agent.get(watch)) == ""
    store_new_orders(-2, "Chen")
    assert changes_in(agent.get(watch)).startswith("1 new – ")
