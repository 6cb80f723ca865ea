"""The context of one search: deadline, SQL dialect, labels, statistics, and common conditions.

The statistics count the orders that pass a condition, up to a limit, and are kept for a minute.
They choose an access path: an outdated count makes a search slower, but not wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db import connection

from . import postgresql, sqlite
from .deadline import SearchDeadline
from .labels import Labels, current_labels
from .sql import Condition, IndexScan, SqlDialect, SqlFragment, union_condition
from .terms import AmountRange

_KEPT_SECONDS = 60.0


@dataclass
class _Counts:
    """The cached counts of one database, until they are too old."""

    until: float
    # By workspace and status.
    orders: dict[tuple[int, str], int]
    # By scan: the number, and the limit up to which it was counted.
    scans: dict[str, tuple[int, int]] = field(default_factory=dict)


_kept: dict[str, _Counts] = {}


class Statistics:
    """Counts of orders for the choice of an access path, cached for a minute."""

    def __init__(self, deadline: SearchDeadline, dialect: SqlDialect) -> None:
        self._deadline = deadline
        self._dialect = dialect

    @cached_property
    def _counts(self) -> _Counts:
        key = str(connection.settings_dict["NAME"])
        kept = _kept.get(key)
        if kept is None or kept.until < time.monotonic():
            kept = _kept[key] = self._read()
        return kept

    def _read(self) -> _Counts:
        rows = self._deadline.fetch_rows("SELECT workspace_id, status, n FROM orders_ordercount")
        return _Counts(
            until=time.monotonic() + _KEPT_SECONDS,
            orders={(workspace, status): n for workspace, status, n in rows},
        )

    def count_passing(self, condition: Condition, limit: int) -> int:
        """Return the number of orders that pass the condition, at most `limit`.

        An order in several scans is counted once per scan.
        """
        if condition.size is not None:
            return min(condition.size(), limit)
        n = 0
        for scan in condition.scans:
            n += self.count_entries(scan, limit - n)
            if n >= limit:
                break
        return n

    def count_orders(
        self, *, statuses: Collection[str] = (), workspaces: Collection[int] = ()
    ) -> int:
        """Return the number of orders in these statuses and workspaces.

        An empty argument means all statuses or all workspaces.
        """
        return sum(
            n
            for (workspace, status), n in self._counts.orders.items()
            if (not statuses or status in statuses) and (not workspaces or workspace in workspaces)
        )

    def count_entries(self, scan: IndexScan, limit: int) -> int:
        """Return the number of entries of the scan, at most `limit`."""
        key = f"{scan.table} {scan.where}"
        counts = self._counts.scans
        n, counted_to = counts.get(key, (0, 0))
        if n >= counted_to and counted_to < limit:
            n = self._read_count(scan, limit)
            counts[key] = n, limit
        return min(n, limit)

    def _read_count(self, scan: IndexScan, limit: int) -> int:
        sql = (
            f"SELECT count(*) FROM (SELECT 1 FROM {self._dialect.from_clause(scan, '')}"  # noqa: S608
            f" WHERE {scan.where.text} LIMIT {limit}) counted"
        )
        return int(self._deadline.fetch_rows(sql, scan.where.params)[0][0])


# A condition on more values than this is read from its index in one scan, which is not sorted;
# on fewer in one sorted scan for each value.
MAX_SCANS = 60


@dataclass(frozen=True)
class SearchResources:
    """The state that all statements of one search share, and makers of common conditions."""

    deadline: SearchDeadline

    @cached_property
    def dialect(self) -> SqlDialect:
        return sqlite if self.deadline.vendor == "sqlite" else postgresql

    @cached_property
    def labels(self) -> Labels:
        return current_labels(self.deadline)

    @cached_property
    def statistics(self) -> Statistics:
        return Statistics(self.deadline, self.dialect)

    def column_equals(
        self,
        column: str,
        values: Sequence[object],
        *,
        index: str,
        expires_index: str = "",
        size: Callable[[], int] | None = None,
    ) -> Condition:
        """Return the condition that the column has one of the values.

        The index `expires_index` is sorted by the column's value and then by expiration.
        """
        test = self.dialect.value_in(f"o.{column}", values)
        if len(values) > MAX_SCANS:
            return Condition(test, (IndexScan(self.dialect.value_in(column, values)),), size)
        sorts = [("id", index)]
        if expires_index:
            sorts.append(("expires_at", expires_index))
        scans = tuple(
            IndexScan(
                SqlFragment(f"{column} = %s", (self.dialect.to_parameter(one),)),
                sorts=tuple(sorts),
                index=index,
            )
            for one in values
        )
        return Condition(test, scans, size)

    def column_between(self, column: str, low: object, high: object, *, index: str) -> Condition:
        """Return the condition that the column is from `low` to `high`, both included.

        The range must be narrow.
        """
        bounds = (self.dialect.to_parameter(low), self.dialect.to_parameter(high))
        where = f"{column} >= %s AND {column} <= %s"
        test = f"o.{column} >= %s AND o.{column} <= %s"
        scan = IndexScan(
            SqlFragment(where, bounds), sorts=(("id", index),), index=index, is_indexed_by_id=False
        )
        return Condition(SqlFragment(test, bounds), (scan,))

    def amount_in_range(self, amounts: AmountRange) -> Condition:
        """Return the condition that the amount is within the range.

        The range must have at least one bound.
        """
        bounds = [(">=", amounts.start), ("<", amounts.end)]
        given = [(sign, cents) for sign, cents in bounds if cents is not None]
        where = " AND ".join(f"amount_cents {sign} %s" for sign, _ in given)
        test = " AND ".join(f"o.amount_cents {sign} %s" for sign, _ in given)
        cents = tuple(one for _, one in given)
        index = "orders_order_amount"
        scan = IndexScan(SqlFragment(where, cents), sorts=(("amount_cents", index),), index=index)
        return Condition(SqlFragment(f"({test})", cents), (scan,))

    def cart_contains(self, column: str, ids: Sequence[int]) -> Condition:
        """Return the condition that the cart contains one of the products or brands.

        `column` is "product" or "brand".
        """
        first = self.column_equals(f"{column}_id", ids, index=f"orders_order_{column}")
        return union_condition([first, self._in_mixed_cart(column, ids)])

    def _in_mixed_cart(self, column: str, ids: Sequence[int]) -> Condition:
        table, index = "orders_otherproduct", f"orders_otherproduct_{column}"
        # The sign keeps SQLite from seeking each id in the index of products or brands.
        among = self.dialect.value_in(f"+x.{column}_id", ids)
        test = SqlFragment(
            f"(o.item_count > 1 AND EXISTS (SELECT 1 FROM {table} x"  # noqa: S608
            f" WHERE x.order_id = o.id AND {among.text}))",
            among.params,
        )
        if len(ids) > MAX_SCANS:
            where = self.dialect.value_in(f"{column}_id", ids)
            return Condition(test, (IndexScan(where, table, "order_id"),))
        scans = tuple(
            IndexScan(
                SqlFragment(f"{column}_id = %s", (one,)),
                table,
                "order_id",
                (("id", index),),
                index=index,
            )
            for one in ids
        )
        return Condition(test, scans)
