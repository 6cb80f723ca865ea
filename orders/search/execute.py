"""Executes a compiled query: returns the first rows or a count without reading all matches.

There are two access paths. A scan reads an index in the sort order of the list and tests each entry
until the page is full. A fetch reads all orders that pass the most selective condition, then tests
and sorts them. The choice depends only on counts:

1. Scan up to 3,000 entries. If a condition passes fewer orders than that, fetch them instead,
unless its own index has the sort order of the list.

2. If the page is not full, fetch by the most selective condition if at most 60,000 orders pass it.

3. Otherwise continue the scan.

The planners of the databases do not take into account that a scan ends after fifty matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from goody.types import CANCELABLE

from .bounds import SearchBounds
from .conditions import CompiledQuery
from .context import SearchResources
from .sql import Condition, IndexScan, KeysetScan, Row, SortOrder, SqlFragment, all_of

MAX_SCANNED_ENTRIES = 3_000
MAX_FETCHED = 60_000
# Fetched orders that are sorted by key already are tested in chunks, each twice the one before.
_FIRST_CHUNK = 500

# The columns that lists are sorted by, with their indexes. "id" is the table's own key.
INDEXES = {
    "id": "",
    "expires_at": "orders_order_expires",
    "amount_cents": "orders_order_amount",
    "name_key": "orders_order_name",
}


class QueryExecutor:
    """Executes a query for lists that are sorted by one column."""

    def __init__(self, context: SearchResources, compiled: CompiledQuery, column: str) -> None:
        self._context = context
        self._dialect = context.dialect
        self._rows = context.deadline.fetch_rows
        self._count_orders = context.statistics.count_passing
        self._column = column
        self._bounds = SearchBounds.for_query(compiled, context, column)
        self._conditions = [*compiled.conditions, *self._windows(compiled)]

    def first_rows(self, scan: KeysetScan) -> list[Row]:
        """Return the rows of the scan. Raises SearchTimeout."""
        if not self._tests:
            return self._scanned(scan, self._driving, max_entries=scan.n)
        rarest = self._rarest(MAX_SCANNED_ENTRIES)
        if rarest is not None and not rarest.is_sorted_by(self._column):
            return self._fetched(scan, rarest)
        scan = self._after_gap(scan)
        rows = self._scanned(scan, self._driving, max_entries=MAX_SCANNED_ENTRIES)
        if len(rows) >= scan.n or self._is_end(scan, MAX_SCANNED_ENTRIES):
            return rows
        rarest = self._rarest(MAX_FETCHED)
        if rarest is None or rarest is self._driving:
            return self._scanned(scan, self._driving)
        return self._fetched(scan, rarest)

    def count_matches(self, *, limit: int) -> tuple[int, bool]:
        """Return the number of matches with a value in the column, and whether it is a lower bound.

        It is a lower bound if there are more than `limit` matches, or more entries than a count
        scans. Raises SearchTimeout.
        """
        scan = KeysetScan(SortOrder(self._column, is_descending=True), limit + 1)
        n, is_exact = self._counted(scan)
        return min(n, limit), n > limit or not is_exact

    def _counted(self, scan: KeysetScan) -> tuple[int, bool]:
        if len(self._conditions) == 1 and self._conditions[0].scans and self._column == "id":
            return self._count_union(self._conditions[0].scans, scan.n), True
        if not self._tests:
            return self._number_of(self._entries(scan, self._driving.scans, scan.n)), True
        rarest = self._rarest(MAX_SCANNED_ENTRIES)
        if rarest is not None:
            return len(self._fetched(scan, rarest)), True
        scan = self._after_gap(scan)
        n = self._number_of(self._scan(scan, self._driving, MAX_SCANNED_ENTRIES))
        return n, n >= scan.n or self._is_end(scan, MAX_SCANNED_ENTRIES)

    def _count_union(self, scans: Sequence[IndexScan], limit: int) -> int:
        """Return the number of distinct orders in the scans, at most `limit`."""
        keys = [self._keys(one, limit) for one in scans]
        n = self._number_of(keys[0])
        if n >= limit or len(keys) == 1:
            return n
        return self._number_of(_united(keys, "UNION"))

    def _number_of(self, rows: SqlFragment) -> int:
        return int(self._rows(f"SELECT count(*) FROM ({rows.text}) counted", rows.params)[0][0])  # noqa: S608

    # --- conditions ---------------------------------------------------------------------------

    def _windows(self, compiled: CompiledQuery) -> Iterator[Condition]:
        """Yield the windows as conditions, except those that the bounds apply to the scan."""
        if self._column != "expires_at" and (bounds := self._bounds.expiration_conditions("")):
            yield self._expiry_window(bounds)
        if self._column != "id" and compiled.creation_keys != (None, None):
            scan = IndexScan(
                all_of(self._bounds.creation_key_conditions("id")), sorts=(("id", ""),)
            )
            yield Condition(all_of(self._bounds.creation_key_conditions("o.id")), (scan,))

    def _expiry_window(self, bounds: Sequence[SqlFragment]) -> Condition:
        """Return the condition of an expiration window, which only open orders can meet."""
        index, within = "orders_order_status_expires", all_of(bounds)
        scans = tuple(
            IndexScan(
                SqlFragment(f"status = %s AND {within.text}", (status, *within.params)),
                sorts=(("expires_at", index),),
                index=index,
            )
            for status in CANCELABLE
        )
        among = self._dialect.value_in("o.status", CANCELABLE)
        return Condition(all_of([among, *self._bounds.expiration_conditions("o.")]), scans)

    @cached_property
    def _driving(self) -> Condition:
        """Return the condition whose index is scanned: the most selective one in sort order."""
        usable = [one for one in self._conditions if one.is_sorted_by(self._column)]
        if len(usable) > 1:
            return min(usable, key=lambda one: self._count_orders(one, MAX_SCANNED_ENTRIES))
        return usable[0] if usable else self._all_orders

    @cached_property
    def _all_orders(self) -> Condition:
        index = INDEXES[self._column]
        return Condition(
            SqlFragment(""), (IndexScan(SqlFragment(""), sorts=((self._column, index),)),)
        )

    @cached_property
    def _tests(self) -> list[Condition]:
        """Return the conditions that are tested on each entry of a scan."""
        return [one for one in self._conditions if one is not self._driving]

    def _rarest(self, limit: int) -> Condition | None:
        """Return the condition that the fewest orders pass; None if over `limit` pass it."""
        counted = [
            (self._count_orders(one, limit + 1), one) for one in self._conditions if one.scans
        ]
        n, rarest = min(counted, key=lambda pair: pair[0], default=(0, None))
        return rarest if n <= limit else None

    # --- scanning -----------------------------------------------------------------------------

    def _after_gap(self, scan: KeysetScan) -> KeysetScan:
        """Start the scan at the first entry that passes the conditions with a sorted index.

        For example, the newest delivered order is much older than the newest order.
        """
        if self._column != "id":
            return scan
        tests = [one for one in self._tests if one.is_indexed_by_id]
        if not tests:
            return scan
        firsts = [self._entries(scan, one.scans, 1) for one in tests]
        sql = f"SELECT {', '.join(f'({one.text})' for one in firsts)}"
        keys = self._rows(sql, [param for one in firsts for param in one.params])[0]
        if None in keys:
            return replace(scan, n=0)
        first = min(keys) + 1 if scan.order.is_descending else max(keys) - 1
        return replace(scan, after=(None, first))

    def _is_end(self, scan: KeysetScan, entries: int) -> bool:
        """Whether the driving index has at most this many entries."""
        return not self._rows(*self._entries(scan, self._driving.scans, 1, offset=entries))

    def _scanned(
        self, scan: KeysetScan, driving: Condition, *, max_entries: int | None = None
    ) -> list[Row]:
        return self._rows(*self._scan(scan, driving, max_entries))

    def _scan(self, scan: KeysetScan, driving: Condition, max_entries: int | None) -> SqlFragment:
        """Return the SQL for the first rows among `max_entries` entries that pass the tests."""
        entries = self._entries(scan, driving.scans, max_entries)
        test = all_of(self._dialect.row_condition(one) for one in self._tests)
        value = "c.id" if self._column == "id" else "c.value"
        return SqlFragment(
            f"SELECT {self._selected(scan, value)} FROM ({entries.text}) c"  # noqa: S608
            f" {self._dialect.JOIN}"
            + (f" WHERE {test.text}" if test else "")
            + self._dialect.order_by_clause(self._by(scan, "c.value", "c.id"))
            + f" LIMIT {scan.n}",
            entries.params + test.params,
        )

    def _entries(
        self, scan: KeysetScan, scans: Sequence[IndexScan], limit: int | None, *, offset: int = 0
    ) -> SqlFragment:
        """Return SQL for keys and values of several index scans, merged in order and distinct."""
        parts = [self._entries_of(scan, one) for one in scans]
        most = _ALL_ENTRIES if limit is None else limit
        by = self._by(scan, "value", "id")
        merged = self._dialect.merge_scans([one.text for one in parts], by, most + offset)
        params = tuple(param for one in parts for param in one.params)
        return SqlFragment(f"{merged} LIMIT {most} OFFSET {offset}", params)

    def _entries_of(self, scan: KeysetScan, index_scan: IndexScan) -> SqlFragment:
        column = self._column
        value = index_scan.key if column == "id" else column
        within = self._bounds.scan_conditions(scan, key=index_scan.key, value=value)
        where = all_of([index_scan.where, *within])
        selected = f"{index_scan.key} AS id" + ("" if column == "id" else f", {value} AS value")
        return SqlFragment(
            f"SELECT {selected} FROM {self._dialect.from_clause(index_scan, column)}"  # noqa: S608
            + (f" WHERE {where.text}" if where else ""),
            where.params,
        )

    def _by(self, scan: KeysetScan, value: str, key: str) -> str:
        columns = (key,) if self._column == "id" else (value, key)
        return ", ".join(f"{one} {scan.order.direction}" for one in columns)

    def _selected(self, scan: KeysetScan, value: str) -> str:
        if self._column == "expires_at":
            value = self._dialect.select_time(value)
        return ", ".join(filter(None, ("o.id", value, scan.columns)))

    # --- fetching -----------------------------------------------------------------------------

    def _fetched(self, scan: KeysetScan, rarest: Condition) -> list[Row]:
        keys = self._keys_of(rarest)
        tests = []
        for one in self._conditions:
            if one is rarest:
                continue
            # Reading an entry of another index costs a quarter of fetching a row to test it.
            most = 4 * len(keys)
            if one.scans and self._count_orders(one, most + 1) <= most:
                keys &= self._keys_of(one)
            else:
                tests.append(one)
        return self._first_of(scan, keys, tests)

    def _keys_of(self, condition: Condition) -> set[int]:
        rows = self._rows(*_united([self._keys(one) for one in condition.scans]))
        return {key for (key,) in rows}

    def _keys(self, index_scan: IndexScan, limit: int | None = None) -> SqlFragment:
        where = all_of([index_scan.where, *self._bounds.creation_key_conditions(index_scan.key)])
        return SqlFragment(
            f"SELECT {index_scan.key} AS id FROM {self._dialect.from_clause(index_scan, '')}"  # noqa: S608
            f" WHERE {where.text}" + (f" LIMIT {limit}" if limit else ""),
            where.params,
        )

    def _first_of(self, scan: KeysetScan, found: set[int], tests: Sequence[Condition]) -> list[Row]:
        if self._column != "id":
            return self._sorted(scan, list(found), tests) if found else []
        keys = sorted(found, reverse=scan.order.is_descending)
        if scan.after is not None:
            after = scan.after[1]
            keys = [key for key in keys if (key < after) is scan.order.is_descending]
            keys = [key for key in keys if key != after]
        if not tests and not scan.columns:
            return [(key, key) for key in keys[: scan.n]]
        return self._first_tested(scan, keys, tests)

    def _first_tested(
        self, scan: KeysetScan, keys: Sequence[int], tests: Sequence[Condition]
    ) -> list[Row]:
        rows: list[Row] = []
        start, size = 0, _FIRST_CHUNK if tests else scan.n
        while start < len(keys) and len(rows) < scan.n:
            rows += self._sorted(scan, keys[start : start + size], tests)
            start, size = start + size, 2 * size
        return rows[: scan.n]

    def _sorted(
        self, scan: KeysetScan, keys: Sequence[int], tests: Sequence[Condition]
    ) -> list[Row]:
        """Return the first rows, in the sort order of the list, of the orders with these keys."""
        table, column = self._dialect.keys_subquery(keys), f"o.{self._column}"
        within = self._bounds.scan_conditions(scan, key="o.id", value=column)
        test = all_of([*(one.test for one in tests), *within])
        direction = scan.order.direction
        return self._rows(
            f"SELECT {self._selected(scan, column)} FROM {table.text}"  # noqa: S608
            f" {self._dialect.JOIN}"
            + (f" WHERE {test.text}" if test else "")
            + f" ORDER BY {column} {direction}, o.id {direction} LIMIT {scan.n}",
            table.params + test.params,
        )


_ALL_ENTRIES = 1_000_000_000


def _united(scans: Sequence[SqlFragment], operator: str = "UNION ALL") -> SqlFragment:
    if len(scans) == 1:
        return scans[0]
    text = f" {operator} ".join(
        f"SELECT * FROM ({one.text}) s{n}"  # noqa: S608
        for n, one in enumerate(scans)
    )
    return SqlFragment(text, tuple(param for one in scans for param in one.params))
