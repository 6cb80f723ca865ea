"""/orders/ without rows: no match, no orders, a search that is too slow, invalid input."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from goody.types import ORDER_STATUSES
from orders.search.query_runner import QueryRunner
from testing.list_pages import (
    URL,
    complete_sync,
    expected_ids,
    ids_in,
    link,
    text_of,
)
from testing.search_oracle import NOW, Oracle, store
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_time")]


@pytest.fixture
def agent(as_role: Any) -> Client:
    return as_role("agent")  # type: ignore[no-any-return]


# --- nothing to show --------------------------------------------------------------------------


def test_empty_list_names_the_filters_and_offers_to_remove_each(
    agent: Client, full: Oracle
) -> None:
    page = agent.get(f"{URL}?q=okafor&status=opened&created_before=2020-01-01")
    assert "No order matches</h2>" in text_of(page)
    assert "Looked for: “okafor”; Status: opened; Created until 1 Jan 2020." in text_of(page)
    assert "There are no orders" not in text_of(page)
    assert "0 orders" in text_of(page)
    assert 'aria-label="Pages"' not in text_of(page)
    named, all_of_them = len(expected_ids(full, "q=okafor")), len(expected_ids(full, ""))
    assert link(page, f"Search among all orders ({named} orders)") == f"{URL}?q=okafor"
    both = len(expected_ids(full, "q=okafor&status=opened"))
    assert both > 1
    assert link(page, f"Without Created until 1 Jan 2020 ({both} orders)") == (
        f"{URL}?q=okafor&status=opened"
    )
    assert link(page, f"All orders ({all_of_them} orders)") == URL
    # Nothing was created before 2020.
    assert "Without Status: opened" not in text_of(page)
    assert "Without “okafor”" not in text_of(page)


def _a_name_without_two_statuses(full: Oracle) -> tuple[str, list[str]]:
    """Return a name that matches several orders, and two statuses that none of these has."""
    for words in map("+".join, product(("ana", "mira", "al"), ("okafor", "lee", "mai"))):
        found = set(expected_ids(full, f"q={words}"))
        statuses = [
            one for one in ORDER_STATUSES if found.isdisjoint(expected_ids(full, f"status={one}"))
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
    count = len(expected_ids(full, f"q={words}"))
    assert link(page, f"Without Status ({count} orders)") == f"{URL}?q={words}"
    assert "Without Status: " not in text_of(page)


@pytest.mark.parametrize("name", ["card", "ticket"])
def test_cards_and_tickets_are_alternatives(agent: Client, full: Oracle, name: str) -> None:
    page = agent.get(f"{URL}?q=okafor+{name}:aaaaaaaa+{name}:bbbbbbbb")
    count = len(expected_ids(full, "q=okafor"))
    assert link(page, f"Without {name.capitalize()} ({count} orders)") == f"{URL}?q=okafor"


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


def test_search_timeout_is_not_shown_as_empty(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.paging.SEARCH_SECONDS", 0.0)
    page = agent.get(f"{URL}?q=ana&per_page=25")
    assert "Too broad: add a date or a status" in text_of(page)
    assert "No order matches" not in text_of(page)
    assert "0 orders" not in text_of(page)
    assert "<table" not in text_of(page)
    assert link(page, "All orders") == f"{URL}?per_page=25"


def test_timeout_while_parsing_is_shown_as_too_broad(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    monkeypatch.setattr("orders.search.labels.SEARCH_SECONDS", 0.0)
    monkeypatch.setattr("orders.search.paging.SEARCH_SECONDS", 0.0)
    for said in ({"sender": "lee@sender.example.com"}, {"q": str(uuid4())}):
        page = agent.get(URL, said)
        assert page.status_code == 503
        assert "Too broad: add a date or a status" in text_of(page)
        assert "No order matches" not in text_of(page)
        assert "not in our copy" not in text_of(page)
        # Without the fragments that the page requests by itself.
        for part in ("facets", "changes"):
            assert agent.get(f"/orders/{part}/", said).status_code == 204
    assert emulator.calls()["total"] == 0


def too_late(finder: QueryRunner, _limit: int) -> None:
    """Raise SearchTimeout, as a count without time left does."""
    finder.context.deadline._until = 0
    finder.context.deadline.fetch_rows("SELECT 1")


def test_timeout_of_the_count_does_not_affect_the_list(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.paging.QueryRunner.count_matches", too_late)
    page = agent.get(f"{URL}?q=example&per_page=25")
    assert "Too many to count" in text_of(page)
    assert ids_in(page) == expected_ids(full, "q=example")[:25]


# --- bad input --------------------------------------------------------------------------------


def test_an_operator_that_cannot_be_read_gets_a_sentence_and_shows_nothing(
    agent: Client, full: Oracle
) -> None:
    page = agent.get(URL, {"q": "ana expires:<7x"})
    assert page.status_code == 400
    assert "“expires:<7x” is not understood; write expires:<7d" in text_of(page)
    assert 'value="ana expires:<7x"' in text_of(page)
    assert ids_in(page) == []


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
def test_invalid_parameters_are_400_and_kept(
    agent: Client, said: dict[str, str], kept: str
) -> None:
    complete_sync(NOW)
    page = agent.get(URL, said)
    assert page.status_code == 400
    assert 'id="list-errors"' in text_of(page)
    assert kept in text_of(page)


@pytest.mark.parametrize("text", ["%", "_", "\\", '"', "'", "-", "a" * 10_000, "🎁", ") OR 1=1 --"])
def test_any_text_is_accepted(agent: Client, text: str) -> None:
    store(5)
    complete_sync(NOW)
    assert agent.get(URL, {"q": text}).status_code in (200, 400)


def test_search_text_is_escaped(agent: Client, full: Oracle) -> None:
    content = agent.get(URL, {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert(1)" not in content
    assert "&lt;script&gt;alert(1)" in content
