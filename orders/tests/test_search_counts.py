"""The count of a search, and the counts of each choice of a filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from goody.types import ORDER_STATUSES
from orders import index, search
from orders.search.query import FilterChoice, Query
from testing.domain import order
from testing.search_oracle import NOW, Oracle

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(words=("example",)),
        Query(statuses=("opened", "created"), is_swapped=True),
        Query(expires_from=NOW, expires_until=NOW + timedelta(days=20)),
    ],
    ids=["all", "word", "filters", "window"],
)
def test_counts_of_choices_equal_the_sizes_of_their_lists(oracle: Oracle, query: Query) -> None:
    facets = search.count_facets(query, now=NOW, seconds=30)

    def expected(*dropped: str, **fields: Any) -> search.MatchCount:
        return search.MatchCount(
            len(oracle.find(replace(query.without_fields(*dropped), **fields))), False
        )

    assert facets.statuses == {
        status: expected("statuses", "without_statuses", statuses=(status,))
        for status in ORDER_STATUSES
    }
    windows = ("expires_from", "expires_until", "has_expiry", "is_expired_unaccepted")
    assert facets.expires == {
        name: expected(*windows, **search.expiry_preset_fields(name, now=NOW))
        for name in ("24h", "3d", "7d", "14d", "expired", "never")
    }
    flags = ("is_swapped", "is_payment_pending", "has_delivery_trouble")
    assert facets.flags == {name: expected(**{name: True}) for name in flags}
    for kind in ("workspace", "sender", "product", "brand"):
        counts = {one.name: one.count for one in getattr(facets, f"{kind}s")}
        assert counts == {
            label.name: count
            for label in oracle.labels.values()
            if label.kind == kind
            and (count := expected(**{f"{kind}s": (FilterChoice(id=label.pk),)})).n
        }


def test_an_unreadable_expiration_is_not_counted_as_none() -> None:
    for expires_at in ("someday", None):
        given = order(id=str(uuid4()), recipient_first_name="Ana", expires_at=expires_at)
        index.upsert_orders([given], read_at=NOW)
    ana = Query(words=("ana",))
    never = search.find_counted_page(replace(ana, has_expiry=False), size=2, now=NOW, limit=9)[1]
    counted = search.count_facets(ana, now=NOW, seconds=30).expires["never"]
    assert counted == never == (1, False)


def test_counts_after_the_deadline_are_left_out(oracle: Oracle) -> None:
    assert search.count_facets(Query(words=("ana",)), now=NOW, seconds=0) == search.FacetCounts()


def test_a_count_beyond_its_limit_says_so(oracle: Oracle) -> None:
    def counted(query: Query, *, limit: int) -> search.MatchCount | None:
        return search.find_counted_page(query, size=2, now=NOW, limit=limit)[1]

    opened = Query(statuses=("opened",))
    assert counted(Query(words=("example",)), limit=20) == (20, True)
    assert counted(opened, limit=5) == (len(oracle.find(opened)), False)
    assert search.MatchCount(12, is_capped=True).at_least(50) == (50, True)
    assert search.MatchCount(60, is_capped=True).at_least(50) == (60, True)
