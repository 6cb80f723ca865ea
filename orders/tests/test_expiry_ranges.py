"""The range of expirations of each period of creation includes every order, and bounds searches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders import index
from orders.index import CreationTime, OrderOfResponse
from orders.index.expiry_ranges import PERIOD_BITS
from orders.models import CreationTimeSource, ExpiryRange, Order
from orders.search.bounds import SearchBounds
from orders.search.conditions import compile_query
from orders.search.context import SearchResources
from orders.search.deadline import time_limit
from orders.search.query import Query
from testing.search_oracle import NOW, make_rows, store

pytestmark = pytest.mark.django_db

_DAY = timedelta(days=1)


def outside_of_ranges() -> list[Order]:
    ranges = ExpiryRange.objects.in_bulk()
    orders = list(Order.objects.exclude(expires_at=None))
    assert len(orders) > 100
    return [
        order
        for order in orders
        if (known := ranges.get(order.pk >> PERIOD_BITS)) is None
        or not known.earliest <= order.expires_at <= known.latest
    ]


def test_ranges_include_new_orders() -> None:
    store()
    assert outside_of_ranges() == []


def test_ranges_include_changed_expirations_and_creation_times() -> None:
    """The same orders from another seed have other expirations and creation times."""
    store()
    before = dict(Order.objects.values_list("uuid", "pk"))
    index.upsert_rows(make_rows(300, seed=2), read_at=NOW + _DAY)
    after = dict(Order.objects.values_list("uuid", "pk"))
    assert sum(before[order] != key for order, key in after.items()) > 50
    assert outside_of_ranges() == []


def test_ranges_include_orders_of_which_only_the_creation_time_became_known() -> None:
    store()
    rows = [
        OrderOfResponse(row.raw, CreationTime(NOW - n * _DAY, CreationTimeSource.DETAIL))
        for n, row in enumerate(make_rows(300, seed=1))
    ]
    index.upsert_rows(rows, read_at=NOW + _DAY)
    assert outside_of_ranges() == []


def bounds_of(query: Query, column: str) -> SearchBounds:
    with time_limit(60) as deadline:
        context = SearchResources(deadline)
        compiled = compile_query(query, context, now=NOW)
        assert compiled is not None
        return SearchBounds.for_query(compiled, context, column)


def test_a_window_of_expirations_bounds_creation_keys() -> None:
    store()
    until = NOW - 15 * _DAY
    low, high = bounds_of(Query(expires_until=until), "id").creation_keys
    matching = Order.objects.filter(expires_at__lt=until).order_by("pk")
    keys = list(matching.values_list("pk", flat=True))
    assert low is not None
    assert high is not None
    assert low <= keys[0]
    assert keys[-1] < high
    nothing = bounds_of(Query(expires_from=NOW + 4000 * _DAY), "id")
    assert nothing.creation_keys == (0, 0)


def test_a_window_of_creation_bounds_expirations() -> None:
    store()
    bounds = bounds_of(Query(created_from=NOW - _DAY), "expires_at")
    assert bounds.expirations != (None, None)
    assert bounds_of(Query(created_from=NOW - _DAY), "id").expirations == (None, None)
    nothing = bounds_of(Query(created_from=NOW + 4000 * _DAY), "expires_at")
    assert nothing.creation_keys == (0, 0)
