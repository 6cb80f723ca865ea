"""Execution of one query: a page of its rows by keyset, and their number.

A page begins after the `PageKey` of a row, so that orders inserted meanwhile shift nothing. A key
is plain data that the caller signs; in lists sorted by recipient it holds the order's id, no name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from goody.types import ENDED, ORDER_STATUSES

from .conditions import CompiledQuery, compile_query
from .context import SearchResources
from .deadline import SearchDeadline
from .execute import INDEXES, QueryExecutor
from .hits import Hit, hit_columns, make_hits
from .query import Query, Sort
from .sql import Condition, IndexScan, KeysetScan, Row, SortOrder, SqlFragment, all_of, negated

_COLUMNS = {
    "created": "id",
    "expires": "expires_at",
    "amount": "amount_cents",
    "recipient": "name_key",
    # Within one status.
    "status": "id",
    "best": "id",
}


# Fields of a query whose matches orders_ordercount counts.
_IN_ORDER_COUNTS = ("statuses", "without_statuses", "workspaces", "without_workspaces")


class PageKey(NamedTuple):
    """The keyset position of a row: its value in the sort column, and its creation key.

    The value depends on the sort: the ISO time of the expiration, the amount in cents, the order's
    id (hex) for recipients, the rank of the status, or 1 for a best match by full name. It is None
    in lists by creation, and for a row without a value in the column.
    """

    value: str | int | None
    id: int


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of hits in the order of the list. `next` and `previous` are keys, None at its ends."""

    hits: Sequence[Hit]
    next: PageKey | None
    previous: PageKey | None


EMPTY = ResultPage((), None, None)


class MatchCount(NamedTuple):
    """A number of orders: exactly `n`, or at least `n` if `is_capped`."""

    n: int
    is_capped: bool

    def at_least(self, n: int) -> MatchCount:
        """Return the count, raised to `n` if it is lower, because `n` rows were shown already."""
        return self if self.n >= n else MatchCount(n, is_capped=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a list that is read by one scan.

    Most lists have two parts: the rows with a value in the sort column, then the rows without,
    newest first. A list of best matches has the recipients with one of the full names, then the
    others. A list by status has a part for each status. Parts are read by ascending `number`.
    """

    compiled: CompiledQuery
    order: SortOrder
    is_empty: bool = False
    number: int = 0
    after: tuple[Any, int] | None = None

    @property
    def reversed(self) -> _Part:
        return replace(self, order=self.order.reversed)


class QueryRunner:
    """Runs a compiled query within one search."""

    def __init__(self, deadline: SearchDeadline, query: Query, *, now: datetime) -> None:
        self.context = SearchResources(deadline)
        self.compiled = compile_query(query, self.context, now=now)
        self.query = query
        self._sort = query.effective_sort
        self._column = _COLUMNS[self._sort.key]

    def find_page(self, size: int, at: PageKey | None, *, backwards: bool) -> ResultPage:
        selected = hit_columns(self.context.dialect)
        rows = self.fetch_rows(size + 1, at, backwards=backwards, selected=selected)
        more, rows = len(rows) > size, rows[:size]
        if not rows:
            return EMPTY
        if backwards:
            rows.reverse()
        is_first, is_last = (not more, at is None) if backwards else (at is None, not more)
        return ResultPage(
            hits=make_hits(rows, self.context.labels, vendor=self.context.deadline.vendor),
            next=None if is_last else self.paging_key(rows[-1]),
            previous=None if is_first else self.paging_key(rows[0]),
        )

    def fetch_rows(
        self, n: int, at: PageKey | None = None, *, backwards: bool = False, selected: str = ""
    ) -> list[Row]:
        """Return (id, sort value, *selected) of the `n` rows after `at`, or before it if backwards.

        The row next to `at` is the first.
        """
        found: list[Row] = []
        if self.compiled is None:
            return found
        for part in self._parts(self.compiled, at, backwards=backwards):
            scan = KeysetScan(part.order, n - len(found), selected, part.after)
            rows = QueryExecutor(self.context, part.compiled, part.order.column).first_rows(scan)
            found += self._with_values(part, rows)
            if len(found) >= n:
                break
        return found

    def _with_values(self, part: _Part, rows: list[Row]) -> list[Row]:
        """Return the rows with the sort value that their page keys contain."""
        if not part.is_empty and self._sort.key != "status":
            return rows
        value = None if part.is_empty else abs(part.number)
        return [(row[0], value, *row[2:]) for row in rows]

    def count_matches(self, limit: int) -> MatchCount:
        """Return the number of matches, and whether it is a lower bound. Raises SearchTimeout.

        Queries by status or workspace alone are always counted exactly.
        """
        if self.compiled is None:
            return MatchCount(0, is_capped=False)
        if self.query.without_fields(*_IN_ORDER_COUNTS).matches_all_orders:
            return MatchCount(self._sum_of_order_counts(self.compiled), is_capped=False)
        # A window of expirations is counted along the index of expirations.
        default = _COLUMNS[self.query.with_default_sort.effective_sort.key]
        column = default if self.compiled.requires_expiry else "id"
        return MatchCount(
            *QueryExecutor(self.context, self.compiled, column).count_matches(limit=limit)
        )

    def _sum_of_order_counts(self, compiled: CompiledQuery) -> int:
        """Return the count from the table orders_ordercount, whose columns have the same names."""
        tests = all_of(one.test for one in compiled.conditions)
        sql = "SELECT coalesce(sum(n), 0) FROM orders_ordercount o"
        sql += f" WHERE {tests.text}" if tests else ""
        return int(self.context.deadline.fetch_rows(sql, tests.params)[0][0])

    def paging_key(self, row: Row) -> PageKey:
        """Return the paging key of a result row that starts with (id, sort value, uuid)."""
        pk, value, uuid = row[:3]
        if self._sort.key == "created" or value is None:
            return PageKey(None, pk)
        if self._sort is Sort.BEST:
            return PageKey(1, pk)
        if self._column == "name_key":
            return PageKey(UUID(str(uuid)).hex, pk)
        return PageKey(value.isoformat() if isinstance(value, datetime) else value, pk)

    def paging_key_of_order(self, uuid: UUID) -> PageKey | None:
        """Return the page key of the order, also if it does not match the query.

        Return None if the order is not in the index.
        """
        value = self._value
        sql = f"SELECT o.id, {value.text}, o.uuid FROM orders_order o WHERE o.uuid = %s"  # noqa: S608
        rows = self.context.deadline.fetch_rows(
            sql, [*value.params, self.context.dialect.to_parameter(uuid)]
        )
        return self.paging_key(rows[0]) if rows else None

    @property
    def _value(self) -> SqlFragment:
        """Return the SQL of the value that the list is sorted by."""
        if self._sort is Sort.BEST:
            return SqlFragment(
                f"CASE WHEN {self._named.test.text} THEN 1 END", self._named.test.params
            )
        if self._sort.key == "status":
            ranks = " ".join(f"WHEN %s THEN {rank}" for rank in self._ranks.values())
            return SqlFragment(f"CASE o.status {ranks} END", tuple(self._ranks))
        column = f"o.{self._column}"
        return SqlFragment(
            self.context.dialect.select_time(column) if column == "o.expires_at" else column
        )

    def matches_order(self, uuid: UUID) -> bool:
        """Whether the order matches the query."""
        if self.compiled is None:
            return False
        only = self.context.column_equals("uuid", [uuid], index="")
        newest = KeysetScan(SortOrder("id", is_descending=True), 1)
        return bool(
            QueryExecutor(self.context, self.compiled.with_condition(only), "id").first_rows(newest)
        )

    def _parts(
        self, compiled: CompiledQuery, at: PageKey | None, *, backwards: bool
    ) -> list[_Part]:
        """Return the parts of the list to scan in turn, starting at `at`."""
        if self._sort is Sort.BEST:
            parts = list(self._best(compiled))
        elif self._sort.key == "status":
            parts = list(self._by_status(compiled))
        else:
            parts = [*self._valued(compiled), *self._empty(compiled)]
        if backwards:
            parts = [one.reversed for one in reversed(parts)]
        after = self._after(at) if at else None
        if after is None:
            return parts
        number = self._number_of_part(after[0])
        return [
            replace(one, after=after) if one.number == number else one
            for one in parts
            if (one.number <= number if backwards else one.number >= number)
        ]

    def _number_of_part(self, value: Any) -> int:
        """Return the number of the part that contains a row with this value in its key."""
        if self._sort.key == "status":
            return -value if self._sort.is_descending else int(value)
        return int(self._sort.key != "created" and value is None)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """Return the rank of each status that an order has. `failed` and `canceled` share one."""
        sql = "SELECT DISTINCT status FROM orders_ordercount"
        stored = sorted(status for (status,) in self.context.deadline.fetch_rows(sql))
        others = [status for status in stored if status not in ORDER_STATUSES]
        statuses = [*ORDER_STATUSES, *others]
        return {one: statuses.index(ENDED[0] if one in ENDED else one) for one in statuses}

    def _by_status(self, compiled: CompiledQuery) -> Iterator[_Part]:
        groups: dict[int, list[str]] = {}
        for status, rank in self._ranks.items():
            groups.setdefault(rank, []).append(status)
        newest = SortOrder("id", is_descending=True)
        for rank in sorted(groups, key=self._number_of_part):
            condition = self.context.column_equals(
                "status", groups[rank], index="orders_order_status"
            )
            yield _Part(
                compiled.with_condition(condition), newest, number=self._number_of_part(rank)
            )

    def _best(self, compiled: CompiledQuery) -> Iterator[_Part]:
        newest = SortOrder("id", is_descending=True)
        if not self._is_anybody_named():
            yield _Part(compiled, newest, is_empty=True, number=1)
            return
        # The index of names is used, which returns fewer orders than the words.
        yield _Part(compiled.without_text_indexes().with_condition(self._named), newest)
        others = Condition(negated(self._named.test))
        yield _Part(compiled.with_condition(others), newest, is_empty=True, number=1)

    @cached_property
    def _named(self) -> Condition:
        return self.context.column_equals("name_key", self.query.names, index=INDEXES["name_key"])

    def _is_anybody_named(self) -> bool:
        """Whether any order has a recipient with one of the full names.

        Usually none has, especially while the text is being typed.
        """
        test = self._named.test
        sql = f"SELECT 1 FROM orders_order o WHERE {test.text} LIMIT 1"  # noqa: S608
        return bool(self.context.deadline.fetch_rows(sql, test.params))

    def _valued(self, compiled: CompiledQuery) -> Iterator[_Part]:
        if self._column != "expires_at" or compiled.has_expiry is not False:
            yield _Part(compiled, SortOrder(self._column, self._sort.is_descending))

    def _empty(self, compiled: CompiledQuery) -> Iterator[_Part]:
        column = self._column
        if column == "id" or (column == "expires_at" and compiled.requires_expiry):
            return
        index = INDEXES[column]
        scan = IndexScan(SqlFragment(f"{column} IS NULL"), sorts=(("id", index),), index=index)
        empty = Condition(SqlFragment(f"o.{column} IS NULL"), (scan,))
        yield _Part(
            compiled.with_condition(empty),
            SortOrder("id", is_descending=True),
            is_empty=True,
            number=1,
        )

    def _after(self, at: PageKey) -> tuple[Any, int] | None:
        """Return the sort value and the creation key after which the page begins.

        Return None if the index was rebuilt without the order that `at` names.
        """
        if self._column == "name_key" and at.value is not None:
            return self._of_recipient(UUID(str(at.value)))
        if self._column == "expires_at" and at.value is not None:
            return self.context.dialect.to_parameter(datetime.fromisoformat(str(at.value))), at.id
        return at.value, at.id

    def _of_recipient(self, uuid: UUID) -> tuple[Any, int] | None:
        sql = "SELECT name_key, id FROM orders_order WHERE uuid = %s"
        rows = self.context.deadline.fetch_rows(sql, [self.context.dialect.to_parameter(uuid)])
        return rows[0] if rows else None
