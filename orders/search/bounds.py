"""Computes ranges of creation keys and of expirations that contain all matches of a query.

A window of the query bounds its own column. It also bounds the other column, because no order
expires before it was created, and because the index stores the earliest and the latest expiration
of the orders created in each period (`ExpiryRange`). A scan by expiration starts at the earliest
expiration of the orders in the creation window. A scan by creation stops after the last order that
can still expire within the expiration window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orders.index.expiry_ranges import PERIOD_BITS

from .conditions import CompiledQuery
from .context import SearchResources
from .sql import KeysetScan, SqlFragment

type Range = tuple[Any, Any]

_NO_KEYS = (0, 0)


@dataclass(frozen=True, slots=True)
class SearchBounds:
    """The bounds of all matches of a query.

    `window` is the query's window of expirations, `expirations` the range in which all matches
    expire, both as database values. The end of `window` and of `creation_keys` is excluded.
    """

    creation_keys: tuple[int | None, int | None]
    window: Range
    # For scans by expiration. The second bound is included.
    expirations: Range

    @classmethod
    def for_query(
        cls, compiled: CompiledQuery, context: SearchResources, column: str
    ) -> SearchBounds:
        window = tuple(at and context.dialect.to_parameter(at) for at in compiled.expires)
        keys = compiled.creation_keys
        expirations: Range = (None, None)
        if column == "expires_at" and keys != (None, None):
            expirations = _expirations(context, *keys)
            if expirations == (None, None):
                keys = _NO_KEYS
        if window != (None, None):
            keys = _narrowed(keys, _creation_keys(context, *window))
        return cls(keys, (window[0], window[1]), expirations)

    def creation_key_conditions(self, column: str) -> list[SqlFragment]:
        return _within(column, *self.creation_keys)

    def expiration_conditions(self, prefix: str) -> list[SqlFragment]:
        return _within(f"{prefix}expires_at", *self.window)

    def scan_conditions(self, scan: KeysetScan, *, key: str, value: str) -> list[SqlFragment]:
        """Return the conditions that bound a scan sorted by the columns `key` and `value`."""
        than = "<" if scan.order.is_descending else ">"
        bounds = self.creation_key_conditions(key)
        if scan.order.column == "id":
            return [
                *bounds,
                *([SqlFragment(f"{key} {than} %s", (scan.after[1],))] if scan.after else []),
            ]
        bounds.append(SqlFragment(f"{value} IS NOT NULL"))
        if scan.order.column == "expires_at":
            earliest, latest = self.expirations
            bounds += _within(value, *self.window)
            bounds += _within(value, earliest, None)
            if latest is not None:
                bounds.append(SqlFragment(f"{value} <= %s", (latest,)))
        if scan.after:
            bounds.append(SqlFragment(f"({value}, {key}) {than} (%s, %s)", scan.after))
        return bounds


def _within(column: str, low: object, high: object) -> list[SqlFragment]:
    bounds = [] if low is None else [SqlFragment(f"{column} >= %s", (low,))]
    return bounds if high is None else [*bounds, SqlFragment(f"{column} < %s", (high,))]


def _expirations(context: SearchResources, low: int | None, high: int | None) -> Range:
    """Return the earliest and the latest expiration of the orders with keys in this range."""
    periods = _within("period", low and low >> PERIOD_BITS, high and (high >> PERIOD_BITS) + 1)
    where = " AND ".join(one.text for one in periods)
    sql = f"SELECT min(earliest), max(latest) FROM orders_expiryrange WHERE {where}"  # noqa: S608
    rows = context.deadline.fetch_rows(sql, [param for one in periods for param in one.params])
    return rows[0]


def _creation_keys(context: SearchResources, start: object, end: object) -> tuple[int, int]:
    """Return the range of creation keys of the orders that expire in this window."""
    bounds = [*_within("latest", start, None), *_within("earliest", None, end)]
    where = " AND ".join(one.text for one in bounds)
    sql = f"SELECT min(period), max(period) FROM orders_expiryrange WHERE {where}"  # noqa: S608
    [(first, last)] = context.deadline.fetch_rows(
        sql, [param for one in bounds for param in one.params]
    )
    if first is None:
        return _NO_KEYS
    return first << PERIOD_BITS, (last + 1) << PERIOD_BITS


def _narrowed(
    keys: tuple[int | None, int | None], other: tuple[int, int]
) -> tuple[int | None, int | None]:
    low, high = keys
    return (
        other[0] if low is None else max(low, other[0]),
        other[1] if high is None else min(high, other[1]),
    )
