"""Counting what the matches of a query have in common, all at once: one look at each of them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from goody.types import CANCELABLE, ENDED

from .counting import Count
from .deadline import Deadline
from .paging import Finder
from .query import Query

# As many names of a kind are offered.
TOP = 10
_FLAGS = ("is_swapped", "is_payment_pending", "has_delivery_trouble")
_PLAIN = ("status", "workspace_id", "sender_id", "product_id", "brand_id", *_FLAGS)


@dataclass(frozen=True)
class Tally:
    """How many of the matches have which value; `is_whole` if all of them were looked at."""

    counters: dict[str, Counter[Any]]
    is_whole: bool

    def count(self, dimension: str, value: object) -> Count | None:
        """None where nothing can be said: none among those that were looked at, of more."""
        key = True if dimension in _FLAGS else value
        n = self.counters[dimension][key]
        return Count(n, not self.is_whole) if n or self.is_whole else None

    def most_common(self, kind: str) -> list[tuple[int, Count]]:
        """The ids of the names that most have."""
        return [(pk, Count(n, not self.is_whole)) for pk, n in self.counters[kind].most_common(TOP)]


def take_tally(
    given: Deadline, query: Query, *, now: datetime, most: int, hours: dict[str, int]
) -> Tally:
    """Of the first `most` matches; `hours`: the ends of the expiry windows from now on, by name.

    Raises SearchTimeout.
    """
    finder = Finder(given, query, now=now)
    expires = finder.asking.dialect.instant("o.expires_at")
    columns = ", ".join((*(f"o.{name}" for name in _PLAIN), "o.item_count", expires))
    rows = finder.rows(most + 1, selected=columns)
    is_whole, rows = len(rows) <= most, rows[:most]
    values = list(zip(*(row[2:] for row in rows), strict=True)) or [()] * (len(_PLAIN) + 2)
    counters = {
        name.removesuffix("_id"): Counter(column)
        for name, column in zip(_PLAIN, values, strict=False)
    }
    firsts = zip(*(values[_PLAIN.index(name)] for name in ("product_id", "brand_id")), strict=True)
    mixed = {
        row[0]: first
        for row, first, items in zip(rows, firsts, values[-2], strict=True)
        if items > 1
    }
    _add_other_products(counters, finder, mixed)
    counters["expires"] = _expiries(values[0], values[-1], now=now, hours=hours)
    ended = sum(counters["status"][status] for status in ENDED)
    counters["status"] |= dict.fromkeys(ENDED, ended)
    for counter in counters.values():
        counter.pop(None, None)
    return Tally(counters, is_whole)


def _add_other_products(
    counters: dict[str, Counter[Any]], finder: Finder, mixed: dict[int, tuple[Any, Any]]
) -> None:
    """Each product and brand once an order; `mixed` has those of the first item, by order."""
    if not mixed:
        return
    among = finder.asking.dialect.among("order_id", [*mixed])
    rows = finder.asking.deadline.rows(
        f"SELECT order_id, product_id, brand_id FROM orders_otherproduct WHERE {among.text}",  # noqa: S608
        among.params,
    )
    products = {(order, product) for order, product, _ in rows if product != mixed[order][0]}
    brands = {(order, brand) for order, _, brand in rows if brand != mixed[order][1]}
    counters["product"].update(product for _, product in products)
    counters["brand"].update(brand for _, brand in brands)


def _expiries(
    statuses: Iterable[str], times: Iterable[Any], *, now: datetime, hours: dict[str, int]
) -> Counter[Any]:
    found: Counter[Any] = Counter()
    pairs = list(zip(statuses, times, strict=True))
    found["never"] = sum(at is None for _, at in pairs)
    # Of those that can still be accepted: nobody else's expiration means anything.
    known = sorted(at for status, at in pairs if at is not None and status in CANCELABLE)
    if not known:
        return found
    start = bisect_left(known, _as(now, known[0]))
    for name, ahead in hours.items():
        end = _as(now + timedelta(hours=ahead), known[0])
        found[name] = bisect_left(known, end) - start
    found["expired"] = start
    return found


def _as(at: datetime, one: object) -> Any:
    """Comparable with `one`: SQLite gives text, which sorts as the instants do."""
    return at.astimezone(UTC).isoformat(" ") if isinstance(one, str) else at
