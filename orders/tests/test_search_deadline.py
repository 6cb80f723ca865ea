"""The deadline of a search, and the number of its statements."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import nullcontext
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from orders import search
from orders.models import Label, Order
from orders.search import labels
from orders.search.deadline import time_limit
from orders.search.query import FilterChoice, Query, Sort
from testing.search_oracle import NOW, Oracle

# Runs for minutes on both databases.
_ENDLESS = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
    " SELECT count(*) FROM n"
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_inside", [False, True], ids=["alone", "in a transaction"])
def test_a_statement_ends_with_its_budget(is_inside: bool) -> None:
    start = time.monotonic()
    around = transaction.atomic() if is_inside else nullcontext()
    with pytest.raises(search.SearchTimeout), around, time_limit(0.2) as deadline:
        deadline.fetch_rows(_ENDLESS)
    assert 0.15 < time.monotonic() - start < 5
    # The connection has no limit again and is usable.
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        if connection.vendor == "postgresql":
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('jit')")
            assert cursor.fetchone() == ("5s", "on")


@pytest.mark.django_db(transaction=True)
def test_statements_of_the_orm_end_at_the_deadline_too() -> None:
    Label.objects.create(kind=Label.Kind.BRAND, key="leaf", name="Leaf", folded="leaf")
    start = time.monotonic()
    with time_limit(0.2) as deadline:
        labels = Label.objects.values_list("key", flat=True)
        assert deadline.fetch_all(labels) == ["leaf"]
        with pytest.raises(search.SearchTimeout):
            deadline.fetch_all(labels.alias(n=RawSQL(_ENDLESS, ())).filter(n__gt=0))
    assert time.monotonic() - start < 5
    assert list(labels) == ["leaf"]


@pytest.mark.django_db(transaction=True)
def test_several_statements_share_the_budget() -> None:
    start = time.monotonic()
    with pytest.raises(search.SearchTimeout), time_limit(0.3) as deadline:
        deque(deadline.fetch_rows("SELECT 1") for _ in count())
    assert time.monotonic() - start < 5


@pytest.mark.django_db(transaction=True)
def test_a_transaction_around_a_search_keeps_its_own_limit() -> None:
    with transaction.atomic():
        search.find_page(Query(), size=5, now=NOW)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT current_setting('statement_timeout')")
                assert cursor.fetchone() == ("5s",)
            cursor.execute("SELECT 1")


@pytest.mark.django_db
def test_another_error_is_not_taken_for_too_broad() -> None:
    with pytest.raises(Exception, match="no_such_table") as raised, time_limit(1) as deadline:
        deadline.fetch_rows("SELECT * FROM no_such_table")
    assert not isinstance(raised.value, search.SearchTimeout)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ask",
    [
        lambda: search.find_page(Query(words=("ana",)), size=5, now=NOW),
        lambda: search.find_page(Query(words=("ana",)), size=5, now=NOW, backwards=True),
        lambda: search.find_counted_page(Query(words=("ana",)), size=5, now=NOW, limit=9),
        lambda: search.find_neighbors(Query(words=("ana",)), UUID(int=1), now=NOW, seconds=0),
        lambda: search.find_related_orders(UUID(int=1), now=NOW, seconds=0),
        lambda: search.first_query_with_matches([Query(words=("ana",))], limit=5, now=NOW),
        lambda: list(search.iterate_hits(Query(words=("ana",)), now=NOW)),
    ],
    ids=["page", "last", "counted", "neighbors", "related", "first", "iterate"],
)
def test_too_broad_is_raised_and_never_an_empty_answer(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.paging.SEARCH_SECONDS", 0)
    with pytest.raises(search.SearchTimeout):
        ask()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ask",
    [
        lambda: labels.suggest_labels("sender", "ana", limit=5),
        lambda: labels.find_label_id("sender", "ana@example.com"),
        lambda: labels.find_label_name("senders", 1),
        lambda: labels.find_label_keys([1]),
    ],
    ids=["suggest", "id", "name", "keys"],
)
def test_timeout_of_labels_is_not_shown_as_no_match(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    monkeypatch.setattr("orders.search.labels.SEARCH_SECONDS", 0)
    with pytest.raises(search.SearchTimeout):
        ask()


# --- how much is asked of the database --------------------------------------------------------


def statements(query: Query) -> int:
    """The statements of a page with cached names and counts, without those of the transaction."""
    search.find_page(query, size=50, now=NOW)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        search.find_page(query, size=50, now=NOW)
    return sum("orders_" in one["sql"] for one in asked)


_MOST_STATEMENTS = [
    # One more reads which statuses there are.
    *((Query(sort=sort), 4 if sort.key == "status" else 3) for sort in Sort),
    (Query(statuses=("opened",)), 2),
    (Query(senders=(FilterChoice(text="ana"),)), 2),
    # Each word reads the notes and tickets of our writes, and its keys.
    (Query(words=("example",)), 4),
    (Query(words=("nobody is called so",)), 4),
    # One more is the probe for the name.
    (Query(words=("example",), names=("nobody",)), 5),
    (Query(words=("ana",), names=("ana okafor",)), 7),
    (Query(words=("example",), statuses=("opened",), is_swapped=True), 7),
    (Query(words=("ana", "tea", "mai"), has_expiry=True, sort=Sort.RECIPIENT), 11),
]


def test_a_page_needs_few_statements(oracle: Oracle) -> None:
    for query, most in _MOST_STATEMENTS:
        assert statements(query) <= most, query


def test_names_are_read_once_and_again_when_they_changed(oracle: Oracle) -> None:
    def reads() -> int:
        with CaptureQueriesContext(connection) as asked:
            search.find_page(Query(words=("tea",)), size=5, now=NOW)
        return sum("FROM orders_label " in one["sql"] for one in asked)

    assert [reads(), reads(), reads()] == [1, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_searches_at_once_do_not_disturb_each_other() -> None:
    """Each connection has its own limit."""
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                search.find_page(Query(words=("ana",)), size=5, now=NOW + timedelta(0))
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    with pytest.raises(search.SearchTimeout), time_limit(0.05) as deadline:
        deadline.fetch_rows(_ENDLESS)
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert Order.objects.count() == 0
