"""Counts the matches that each option of a filter would leave.

The options of a filter are counted among the matches of the query without that filter. One read of
up to 10,000 matches counts all options. Counts that are not ready in time are left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from goody.types import CANCELABLE, ENDED, ORDER_STATUSES
from orders.models import Label

from .deadline import SearchDeadline, SearchTimeout, time_limit
from .labels import LabelSuggestion, current_labels
from .query import FilterChoice, Query
from .query_runner import MatchCount, QueryRunner

MAX_MATCHES = 10_000
# Without any filter, the newest orders show which names are common.
SAMPLE = 1000
# Names of a kind.
_MAX_NAMES = 10

# Windows that begin now, then unaccepted orders past their expiration, and orders without one.
EXPIRY_HOURS = {"24h": 24, "3d": 72, "7d": 168, "14d": 336}
EXPIRY_PRESETS = (*EXPIRY_HOURS, "expired", "never")

_FLAGS = ("is_swapped", "is_payment_pending", "has_delivery_trouble")
_NAMED = ("workspace", "sender", "brand", "product")
_FIELDS = {
    "status": ("statuses", "without_statuses"),
    "expires": ("expires_from", "expires_until", "has_expiry", "is_expired_unaccepted"),
    **{kind: (f"{kind}s",) for kind in _NAMED},
    **{name: (name,) for name in _FLAGS},
}
_COLUMNS = ("status", "workspace_id", "sender_id", "product_id", "brand_id", *_FLAGS)


@dataclass(frozen=True, slots=True)
class LabelOption:
    """A label offered as an option, with the number of matches that have it."""

    id: int
    name: str
    count: MatchCount


@dataclass(slots=True)
class FacetCounts:
    """The counts of all options. A capped count is a lower bound; a missing one is unknown."""

    statuses: dict[str, MatchCount] = field(default_factory=dict)
    # By the names of EXPIRY_PRESETS.
    expires: dict[str, MatchCount] = field(default_factory=dict)
    # By is_swapped, is_payment_pending, has_delivery_trouble.
    flags: dict[str, MatchCount] = field(default_factory=dict)
    # The most common ones.
    workspaces: list[LabelOption] = field(default_factory=list)
    senders: list[LabelOption] = field(default_factory=list)
    brands: list[LabelOption] = field(default_factory=list)
    products: list[LabelOption] = field(default_factory=list)


def expiry_preset_fields(name: str, *, now: datetime) -> dict[str, Any]:
    """Return the fields of Query that an expiration preset sets."""
    if name == "expired":
        return {"is_expired_unaccepted": True}
    if name == "never":
        return {"has_expiry": False}
    return {"expires_from": now, "expires_until": now + timedelta(hours=EXPIRY_HOURS[name])}


def count_facets(query: Query, *, now: datetime, seconds: float) -> FacetCounts:
    """Return the counts that are ready within `seconds`.

    `now` is aware. Never raises SearchTimeout.
    """
    facets = FacetCounts()
    with suppress(SearchTimeout), time_limit(seconds) as deadline:
        _FacetCounter(deadline, query.with_default_sort, now, facets).run()
    return facets


class CommonLabels(NamedTuple):
    """The names of the most common options of each filter, without counts."""

    workspace: tuple[LabelSuggestion, ...] = ()
    sender: tuple[LabelSuggestion, ...] = ()
    brand: tuple[LabelSuggestion, ...] = ()
    product: tuple[LabelSuggestion, ...] = ()


def common_labels(*, now: datetime, seconds: float) -> CommonLabels:
    """Return the labels of the newest orders, most common first.

    `now` is aware. Raises SearchTimeout.
    """
    with time_limit(seconds) as deadline:
        tally = count_filter_values(QueryRunner(deadline, Query(), now=now), now=now, limit=SAMPLE)
        ids = {kind: [pk for pk, _ in tally.most_common(kind)] for kind in CommonLabels._fields}
        labels = Label.objects.filter(pk__in=[pk for of in ids.values() for pk in of])
        rows = {
            row[0]: row[1:] for row in deadline.fetch_all(labels.values_list("pk", "key", "name"))
        }
    suggested = {
        kind: tuple(LabelSuggestion(*rows[pk]) for pk in of if pk in rows)
        for kind, of in ids.items()
    }
    return CommonLabels(**suggested)


class _FacetCounter:
    """Counts the options of each filter into `facets`, the most useful counts first."""

    def __init__(
        self, deadline: SearchDeadline, query: Query, now: datetime, facets: FacetCounts
    ) -> None:
        self._deadline = deadline
        self._query = query
        self._now = now
        self._facets = facets
        self._names = current_labels(deadline).names
        self._tallies: dict[Query, FilterValueCounts] = {}

    def run(self) -> None:
        facets = self._facets
        statuses = {one: {"statuses": (one,)} for one in ORDER_STATUSES}
        self._fill(facets.statuses, "status", statuses)
        presets = {name: expiry_preset_fields(name, now=self._now) for name in EXPIRY_PRESETS}
        self._fill(facets.expires, "expires", presets)
        for kind in _NAMED:
            self._fill_named(getattr(facets, f"{kind}s"), kind)
        for name in _FLAGS:
            self._fill(facets.flags, name, {name: {name: True}})

    def _fill(
        self, counts: dict[str, MatchCount], filter_: str, choices: dict[str, dict[str, Any]]
    ) -> None:
        base = self._query.without_fields(*_FIELDS[filter_])
        for name, fields in choices.items():
            if base.matches_all_orders:
                counts[name] = self._count(replace(base, **fields))
            elif count := self._tally(base).count(filter_, name):
                counts[name] = count

    def _fill_named(self, counts: list[LabelOption], kind: str) -> None:
        base = self._query.without_fields(*_FIELDS[kind])
        for pk, tallied in self._tally(base).most_common(kind):
            count = tallied
            if base.matches_all_orders:
                fields: dict[str, Any] = {f"{kind}s": (FilterChoice(id=pk),)}
                count = self._count(replace(base, **fields))
            counts.append(LabelOption(pk, self._names.get(pk, ""), count))

    def _count(self, query: Query) -> MatchCount:
        return QueryRunner(self._deadline, query, now=self._now).count_matches(MAX_MATCHES)

    def _tally(self, base: Query) -> FilterValueCounts:
        if base not in self._tallies:
            limit = SAMPLE if base.matches_all_orders else MAX_MATCHES
            finder = QueryRunner(self._deadline, base, now=self._now)
            self._tallies[base] = count_filter_values(finder, now=self._now, limit=limit)
        return self._tallies[base]


@dataclass(frozen=True)
class FilterValueCounts:
    """The number of matches for each value of each filter.

    `is_complete` is True if all matches were read.
    """

    counters: Mapping[str, Counter[Any]]
    is_complete: bool

    def count(self, filter_: str, value: object) -> MatchCount | None:
        """Return the number of matches with the value.

        None means unknown: no match that was read has the value, and not all matches were read.
        """
        key = True if filter_ in _FLAGS else value
        n = self.counters[filter_][key]
        return MatchCount(n, not self.is_complete) if n or self.is_complete else None

    def most_common(self, kind: str) -> list[tuple[int, MatchCount]]:
        """Return (id, count) of the most common labels of a kind."""
        common = self.counters[kind].most_common(_MAX_NAMES)
        return [(pk, MatchCount(n, not self.is_complete)) for pk, n in common]


def count_filter_values(finder: QueryRunner, *, now: datetime, limit: int) -> FilterValueCounts:
    """Return how many of the first `limit` matches have each value. Raises SearchTimeout."""
    expires = finder.context.dialect.select_time("o.expires_at")
    others = ("o.item_count", "o.is_expiry_odd", expires)
    columns = ", ".join((*(f"o.{name}" for name in _COLUMNS), *others))
    rows = finder.fetch_rows(limit + 1, selected=columns)
    is_complete, rows = len(rows) <= limit, rows[:limit]
    empty = [()] * (len(_COLUMNS) + len(others))
    values = list(zip(*(row[2:] for row in rows), strict=True)) or empty
    *_, item_counts, odd, times = values
    by_column = dict(zip(_COLUMNS, values, strict=False))
    counters = {name.removesuffix("_id"): Counter(column) for name, column in by_column.items()}
    mixed = {
        row[0]: (product, brand)
        for row, product, brand, items in zip(
            rows, by_column["product_id"], by_column["brand_id"], item_counts, strict=True
        )
        if items > 1
    }
    _add_other_products(counters, finder, mixed)
    counters["expires"] = _count_presets(by_column["status"], times, now=now)
    # An unreadable expiration is not an absent one.
    counters["expires"]["never"] -= sum(map(bool, odd))
    ended = sum(counters["status"][status] for status in ENDED)
    counters["status"] |= dict.fromkeys(ENDED, ended)
    for counter in counters.values():
        counter.pop(None, None)
    return FilterValueCounts(counters, is_complete)


def _add_other_products(
    counters: dict[str, Counter[Any]], finder: QueryRunner, mixed: dict[int, tuple[Any, Any]]
) -> None:
    """Add the products and brands of carts with several items, each once per order.

    `mixed` has the product and brand of the first item, by order id.
    """
    if not mixed:
        return
    among = finder.context.dialect.value_in("order_id", [*mixed])
    rows = finder.context.deadline.fetch_rows(
        f"SELECT order_id, product_id, brand_id FROM orders_otherproduct WHERE {among.text}",  # noqa: S608
        among.params,
    )
    products = {(order, product) for order, product, _ in rows if product != mixed[order][0]}
    brands = {(order, brand) for order, _, brand in rows if brand != mixed[order][1]}
    counters["product"].update(product for _, product in products)
    counters["brand"].update(brand for _, brand in brands)


def _count_presets(statuses: Iterable[str], times: Iterable[Any], *, now: datetime) -> Counter[Any]:
    """Count the orders in each expiration preset.

    An expiration has no effect once the gift is accepted or has ended.
    """
    counter: Counter[Any] = Counter()
    pairs = list(zip(statuses, times, strict=True))
    counter["never"] = sum(at is None for _, at in pairs)
    times = sorted(at for status, at in pairs if at is not None and status in CANCELABLE)
    if not times:
        return counter
    start = bisect_left(times, _like(times[0], now))
    for name, hours in EXPIRY_HOURS.items():
        end = _like(times[0], now + timedelta(hours=hours))
        counter[name] = bisect_left(times, end) - start
    counter["expired"] = start
    return counter


def _like(example: object, at: datetime) -> Any:
    """Return `at` in the type of `example`, a value from the database, to compare the two.

    SQLite returns text, which sorts like the time.
    """
    return at.astimezone(UTC).isoformat(" ") if isinstance(example, str) else at
