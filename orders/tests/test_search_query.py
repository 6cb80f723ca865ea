"""Queries with equal meaning are equal."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from orders.search.query import FilterChoice, Query, Sort

NOW = datetime(2026, 10, 12, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
ONE, TWO = UUID(int=1), UUID(int=2)


def test_empty_query_matches_all_orders():
    assert Query().matches_all_orders
    assert Query(sort=Sort.AMOUNT_LARGEST, may_search_messages=True).matches_all_orders


@pytest.mark.parametrize(
    "said",
    [
        {"words": ("ana",)},
        {"without_statuses": ("paid",)},
        {"expires_until": NOW},
        {"has_expiry": False},
        {"is_swapped": False},
        {"senders": (FilterChoice(id=3),)},
        {"finding": ONE},
    ],
)
def test_each_field_narrows_the_query(said):
    query = Query(**said)
    assert not query.matches_all_orders
    assert query.without_fields(*said).matches_all_orders


def test_equal_questions_are_equal():
    one = Query(
        words=("Ána", "ana", " ", "\0"),
        statuses=("opened", "created", "opened"),
        created_from=datetime(2026, 10, 1, tzinfo=ZoneInfo("America/New_York")),
        senders=(FilterChoice(text="Ánna"), FilterChoice(text="anna")),
        references=("abc", "ABC"),
        emails=("Ana@Example.com", "ana@example.com"),
    )
    other = Query(
        words=("ana",),
        statuses=("created", "opened"),
        created_from=datetime(2026, 10, 1, 4, tzinfo=UTC),
        senders=(FilterChoice(text="anna"),),
        references=("ABC",),
        emails=("ana@example.com",),
    )
    assert one == other
    assert hash(one) == hash(other)
    assert one.created_from.tzinfo is UTC


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (("failed",), ("failed", "canceled")),
        (("canceled", "opened"), ("opened", "failed", "canceled")),
        (("teleported", "paid", "created"), ("created", "paid", "teleported")),
    ],
)
def test_failed_and_canceled_are_one_group(given, meant):
    assert Query(statuses=given).statuses == meant
    assert Query(without_statuses=given).without_statuses == meant


def test_a_time_has_a_zone():
    with pytest.raises(ValueError, match="has no zone"):
        Query(expires_from=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


@pytest.mark.parametrize("given", [{}, {"text": " "}, {"text": "ana", "id": 1}])
def test_a_choice_is_an_id_or_a_text(given):
    with pytest.raises(ValueError, match="an id or a text"):
        FilterChoice(**given)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        (Query(), Sort.NEWEST),
        (Query(has_expiry=True), Sort.NEWEST),
        (Query(expires_from=NOW), Sort.EXPIRES_SOONEST),
        (Query(expires_until=NOW), Sort.EXPIRES_SOONEST),
        (Query(expires_until=NOW, sort=Sort.NEWEST), Sort.NEWEST),
        (Query(is_expired_unaccepted=True), Sort.EXPIRES_LATEST),
        (Query(names=("ana b",)), Sort.BEST),
        (Query(names=("ana b",), sort=Sort.NEWEST), Sort.NEWEST),
        (Query(names=("ana b",), expires_until=NOW), Sort.EXPIRES_SOONEST),
        (Query(names=("ana b",), expires_until=NOW, sort=Sort.BEST), Sort.BEST),
        (Query(sort=Sort.BEST), Sort.NEWEST),
        (Query(expires_until=NOW, sort=Sort.BEST), Sort.EXPIRES_SOONEST),
    ],
)
def test_the_default_sort_of_a_list(query, order):
    assert query.effective_sort is order


def test_names_do_not_narrow_the_query():
    query = Query(names=("Ana B", "ana b"), sort=Sort.OLDEST)
    assert query.names == ("ana b",)
    assert query.matches_all_orders
    assert replace(query, is_swapped=True).with_default_sort == Query(is_swapped=True)


def test_a_sort_has_a_key_and_a_direction():
    assert [(sort.key, sort.is_descending) for sort in Sort] == [
        ("created", True),
        ("created", False),
        ("expires", False),
        ("expires", True),
        ("amount", False),
        ("amount", True),
        ("recipient", False),
        ("recipient", True),
        ("status", False),
        ("status", True),
        ("best", False),
    ]
    assert all(sort.reversed.reversed is sort and sort.reversed.key == sort.key for sort in Sort)


def test_box_and_filters_are_combined():
    box = Query(words=("ana",), statuses=("paid",), created_from=NOW, expires_until=LATER)
    filters = Query(
        words=("bo",),
        statuses=("created",),
        created_from=LATER,
        expires_until=NOW,
        is_swapped=True,
        sort=Sort.OLDEST,
    )
    assert box.merged_with(filters) == Query(
        words=("ana", "bo"),
        statuses=("created", "paid"),
        created_from=LATER,
        expires_until=NOW,
        is_swapped=True,
        sort=Sort.OLDEST,
    )
    assert box.merged_with(Query()) == box
    assert Query().merged_with(box) == box


def test_every_field_can_be_left_out():
    assert Query().without_fields(*(field.name for field in fields(Query))) == Query()
