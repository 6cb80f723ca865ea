"""Counts the orders that pass a condition, up to a limit, with a cache of one minute.

The counts choose an access path. An outdated count makes a search slower, but not wrong.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from django.db import connection

from .deadline import SearchDeadline
from .sql import Condition, IndexScan, SqlDialect

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
