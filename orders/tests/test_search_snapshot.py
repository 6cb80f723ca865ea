"""All statements of a search read one snapshot, whatever is written meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from orders.search.deadline import SearchDeadline, time_limit
from orders.search.query import Query
from orders.search.query_runner import QueryRunner
from testing.rekeying import set_creation_times
from testing.search_oracle import NOW, Oracle, store, uuid

pytestmark = pytest.mark.django_db(transaction=True)

# A query of more indexes than one statement joins: it fetches keys first, then rows.
_MANY = Query(statuses=("created", "notified", "opened", "accepted", "paid", "shipped"))
_TWO_WORDS = Query(words=("example", "sender"))


@pytest.fixture
def _unrest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change the keys of all orders after each statement of a search."""
    store()
    ids = [uuid("order", number) for number in range(300)]
    rows: Callable[..., list[Any]] = SearchDeadline.fetch_rows
    days = count(1)

    def and_then_move(self: SearchDeadline, *args: Any) -> list[Any]:
        found = rows(self, *args)
        set_creation_times(ids, to=NOW - timedelta(days=200 + next(days)))
        return found

    monkeypatch.setattr(SearchDeadline, "fetch_rows", and_then_move)


@pytest.mark.usefixtures("_unrest")
@pytest.mark.parametrize(
    "query", [_MANY, _TWO_WORDS, Query(words=("ana",))], ids=["statuses", "words", "word"]
)
def test_order_with_a_changing_key_stays_on_its_page(query: Query) -> None:
    expected = Oracle().find(query)
    with time_limit(60) as deadline:
        page = QueryRunner(deadline, query, now=NOW).find_page(
            len(expected) - 1, None, backwards=False
        )
    assert {hit.uuid for hit in page.hits} == set(expected[:-1])
    # The list must not seem to end at the change.
    assert page.next is not None
