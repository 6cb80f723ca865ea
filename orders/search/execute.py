"""From conditions to the first so many rows in an order, without looking at all that match.

There are two ways. An index that is in the order asked for is walked and each order on the way
tested, until there are enough; or all that fulfill the rarest condition are fetched, tested and
sorted. A walk that finds less than expected is ended, and the other way taken if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from goody.types import CANCELABLE

from .conditions import CompiledQuery
from .context import SearchContext
from .plan import MOST_FETCHED, AccessPath, Plan, plan
from .sql import Condition, IndexScan, Sql, all_of

_TO_THE_END = 1_000_000_000
# As far is walked to count; twice as many are fetched, which takes as long.
_EFFORT = 3000
# Where it is expected to end with less, a count would tell hardly more than a page shows.
_FEW = 100

# Of what lists are sorted by. The first is the key of the table itself.
INDEXES = {
    "id": "",
    "expires_at": "orders_order_expires",
    "amount_cents": "orders_order_amount",
    "name_key": "orders_order_name",
}

type Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """By one column of the order's row ("id" is its place by creation) and then by id, in the same
    direction. Rows without the value are not in it."""

    column: str
    is_descending: bool

    @property
    def reversed(self) -> Order:
        return replace(self, is_descending=not self.is_descending)

    @property
    def way(self) -> str:
        return "DESC" if self.is_descending else "ASC"


@dataclass(frozen=True, slots=True)
class Scan:
    """The first `n` rows in `order` behind the row at `after` (its value and id).

    A row of the answer is (id, value, *columns): what is selected of `o`.
    """

    order: Order
    n: int
    columns: str = ""
    after: tuple[Any, int] | None = None


class Executor:
    def __init__(self, asking: SearchContext, asked: CompiledQuery) -> None:
        self._asking = asking
        self._dialect = asking.dialect
        self._rows = asking.deadline.rows
        self._asked = asked

    def take(self, walk: Scan) -> list[Row]:
        """Raises SearchTimeout."""
        plan = self._plan(walk)
        walk = self._from_first_common(walk, plan.first)
        if plan.may_disappoint and not plan.is_fetch_cheaper:
            rows = self._walked(walk, plan.first, far=plan.first.far)
            if len(rows) >= walk.n or self._is_end(walk, plan.first, far=plan.first.far):
                return rows
        # To walk on along what would be fetched may end before all of it is read.
        is_fetch_longer = walk.order.column == "id" and plan.fetch_is_last
        if plan.fetch and not is_fetch_longer:
            fetched = self._fetched(walk, plan.fetch)
            if fetched is not None:
                return fetched
        return self._walked(walk, plan.last, far=_TO_THE_END)

    def count(self, column: str, *, limit: int) -> tuple[int, bool]:
        """How many there are, and whether that is a lower bound: of more than `limit`, or where
        counting on takes longer than it is worth. Raises SearchTimeout.

        Only those with a value in `column` are counted.
        """
        walk = Scan(Order(column, is_descending=True), limit + 1)
        plan = self._plan(walk)
        n, is_whole = self._up_to(self._from_first_common(walk, plan.first), plan)
        return min(n, limit), n > limit or not is_whole

    def _up_to(self, walk: Scan, plan: Plan) -> tuple[int, bool]:
        """How many there are, and whether those are all, unless there are `walk.n`."""
        way = plan.first
        if not way.tests:
            return self._counted(walk, way.guide, self._inner), True
        if plan.only and way.expected > _EFFORT:
            return self._counted(walk, plan.only, self._in_no_order), True
        if plan.fetch and plan.fetch.size < min(2 * _EFFORT, way.expected):
            fetched = self._fetched(walk, plan.fetch)
            if fetched is not None:
                return len(fetched), True
        if way.size > 2 * _EFFORT and walk.n * _EFFORT < _FEW * way.expected:
            return 0, False
        n = self._count_of(*self._along(walk, way, far=_EFFORT))
        return n, n >= walk.n or self._is_end(walk, way, far=_EFFORT)

    def _counted(
        self, walk: Scan, guide: Condition, keys: Callable[[Scan, Sequence[IndexScan], int], Sql]
    ) -> int:
        """How many fulfill the guide, up to `walk.n`. One index alone may know of as many."""
        n = self._count_of(*keys(walk, guide.sources[:1], walk.n))
        if n >= walk.n or len(guide.sources) == 1:
            return n
        return self._count_of(*keys(walk, guide.sources, walk.n))

    def _in_no_order(self, _walk: Scan, sources: Sequence[IndexScan], limit: int) -> Sql:
        return Sql(*_united([self._keys(one, limit) for one in sources], "UNION"))

    def _count_of(self, sql: str, params: Sequence[object]) -> int:
        return int(self._rows(f"SELECT count(*) FROM ({sql}) counted", params)[0][0])  # noqa: S608

    def _plan(self, walk: Scan) -> Plan:
        column = walk.order.column
        window = self._creation_window()
        conditions = [*self._asked.conditions]
        if column != "expires_at":
            conditions += self._expiry_window()
        if column != "id" and window:
            conditions.append(window)
        everything = Condition(Sql(""), (IndexScan(Sql(""), sorts=((column, INDEXES[column]),)),))
        return plan(
            conditions,
            everything,
            window=window,
            column=column,
            n=walk.n,
            sizes=self._asking.sizes,
        )

    # --- windows ------------------------------------------------------------------------------

    def _expiry_window(self) -> list[Condition]:
        """Only what can still be accepted is in one."""
        bounds = all_of(self._expiry_bounds("expires_at"))
        if not bounds:
            return []
        index = "orders_order_status_expires"
        sources = tuple(
            IndexScan(
                Sql(f"status = %s AND {bounds.text}", (status, *bounds.params)),
                sorts=(("expires_at", index), ("id", index)),
                is_scanned=True,
            )
            for status in CANCELABLE
        )
        among = self._dialect.among("o.status", CANCELABLE)
        return [Condition(all_of([among, *self._expiry_bounds("o.expires_at")]), sources)]

    def _creation_window(self) -> Condition | None:
        bounds = all_of(self._place_bounds("id"))
        if not bounds:
            return None
        source = IndexScan(bounds, sorts=(("id", ""),))
        size = partial(self._asking.sizes.created, source, *self._asked.places)
        return Condition(all_of(self._place_bounds("o.id")), (source,), size)

    def _expiry_bounds(self, value: str) -> list[Sql]:
        low, high = self._asked.expires
        return [
            *([Sql(f"{value} >= %s", (self._dialect.plain(low),))] if low else []),
            *([Sql(f"{value} < %s", (self._dialect.plain(high),))] if high else []),
        ]

    def _place_bounds(self, key: str) -> list[Sql]:
        low, high = self._asked.places
        return [
            *([Sql(f"{key} >= %s", (low,))] if low is not None else []),
            *([Sql(f"{key} < %s", (high,))] if high is not None else []),
        ]

    def _bounds(self, walk: Scan, *, key: str, value: str) -> list[Sql]:
        """What the walk leaves out at either end; `key` and `value` are what it is sorted by."""
        than = "<" if walk.order.is_descending else ">"
        if walk.order.column == "id":
            behind = [Sql(f"{key} {than} %s", (walk.after[1],))] if walk.after else []
            return [*self._place_bounds(key), *behind]
        bounds = [Sql(f"{value} IS NOT NULL")]
        if walk.order.column == "expires_at":
            bounds += self._expiry_bounds(value)
        if walk.after:
            bounds.append(Sql(f"({value}, {key}) {than} (%s, %s)", walk.after))
        return bounds

    # --- walking ------------------------------------------------------------------------------

    def _from_first_common(self, walk: Scan, way: AccessPath) -> Scan:
        """From where on there can be hits: what is tested may begin long after the guide, as
        delivered orders do among the newest.
        """
        tests = [one for one in way.tests if walk.order.column == "id" and one.is_quick_by_id]
        if not tests:
            return walk
        firsts = [self._inner(walk, one.sources, 1) for one in tests]
        sql = f"SELECT {', '.join(f'({one.text})' for one in firsts)}"
        keys = self._rows(sql, [param for one in firsts for param in one.params])[0]
        if None in keys:
            return replace(walk, n=0)
        is_descending = walk.order.is_descending
        return replace(walk, after=(None, min(keys) + 1 if is_descending else max(keys) - 1))

    def _is_end(self, walk: Scan, way: AccessPath, *, far: int) -> bool:
        """Has the index no more entries than that?"""
        is_bounded = any(bound is not None for bound in (*self._asked.places, *self._asked.expires))
        if way.size > 2 * far and not is_bounded:
            return False
        inner = self._inner(walk, way.guide.sources, 1, behind=far)
        return not self._rows(*inner)

    def _walked(self, walk: Scan, way: AccessPath, *, far: int) -> list[Row]:
        """The first rows of the guide, of its first `far` entries if they are tested."""
        return self._rows(*self._along(walk, way, far=far))

    def _along(self, walk: Scan, way: AccessPath, *, far: int) -> Sql:
        inner = self._inner(walk, way.guide.sources, far if way.tests else walk.n)
        test = all_of(self._dialect.tested(one) for one in way.tests)
        value = "c.id" if walk.order.column == "id" else "c.value"
        return Sql(
            f"SELECT {self._selected(walk, value)} FROM ({inner.text}) c"  # noqa: S608
            f" {self._dialect.JOIN}"
            + (f" WHERE {test.text}" if test else "")
            + self._dialect.walked(self._by(walk, "c.value", "c.id"))
            + f" LIMIT {walk.n}",
            inner.params + test.params,
        )

    def _inner(
        self, walk: Scan, sources: Sequence[IndexScan], limit: int, *, behind: int = 0
    ) -> Sql:
        """Keys and values from several indexes in order, each key once."""
        arms = [self._arm(walk, source) for source in sources]
        by = self._by(walk, "value", "id")
        merged = self._dialect.merged([one.text for one in arms], by, limit + behind)
        sql = f"{merged} LIMIT {limit} OFFSET {behind}"
        return Sql(sql, tuple(param for one in arms for param in one.params))

    def _arm(self, walk: Scan, source: IndexScan) -> Sql:
        column = walk.order.column
        value = source.key if column == "id" else column
        where = all_of([source.where, *self._bounds(walk, key=source.key, value=value)])
        selected = f"{source.key} AS id" + ("" if column == "id" else f", {value} AS value")
        return Sql(
            f"SELECT {selected} FROM {self._dialect.from_(source, column)}"  # noqa: S608
            + (f" WHERE {where.text}" if where else ""),
            where.params,
        )

    def _by(self, walk: Scan, value: str, key: str) -> str:
        columns = (key,) if walk.order.column == "id" else (value, key)
        return ", ".join(f"{one} {walk.order.way}" for one in columns)

    def _selected(self, walk: Scan, value: str) -> str:
        if walk.order.column == "expires_at":
            value = self._dialect.instant(value)
        return ", ".join(filter(None, ("o.id", value, walk.columns)))

    # --- fetching all -------------------------------------------------------------------------

    def _fetched(self, walk: Scan, way: AccessPath) -> list[Row] | None:
        """None: they turned out to be too many."""
        found = self._keys_of(way.guide)
        if found is None:
            return None
        tests = []
        for one in way.tests:
            # A second index is read in less time than half as many rows are.
            is_worth_it = one.sources and self._asking.sizes.of(one) <= 4 * len(found)
            others = self._keys_of(one) if is_worth_it else None
            if others is None:
                tests.append(one)
            else:
                found &= others
        return self._first_of(walk, found, tests)

    def _keys_of(self, condition: Condition) -> set[int] | None:
        """Of all that fulfill it; None: too many."""
        rows = self._rows(
            *_united([self._keys(source, MOST_FETCHED + 1) for source in condition.sources])
        )
        return {key for (key,) in rows} if len(rows) <= MOST_FETCHED else None

    def _first_of(self, walk: Scan, found: set[int], tests: Sequence[Condition]) -> list[Row]:
        keys = sorted(found, reverse=walk.order.is_descending)
        if walk.order.column == "id":
            keys = self._behind(walk, keys)
            if not tests:
                keys = keys[: walk.n]
                if not walk.columns:
                    return [(key, key) for key in keys]
        return self._sorted(walk, self._dialect.listed(keys), tests) if keys else []

    def _keys(self, source: IndexScan, limit: int) -> Sql:
        where = all_of([source.where, *self._place_bounds(source.key)])
        return Sql(
            f"SELECT {source.key} AS id FROM {self._dialect.from_(source, '')}"  # noqa: S608
            f" WHERE {where.text} LIMIT {limit}",
            where.params,
        )

    def _behind(self, walk: Scan, keys: list[int]) -> list[int]:
        if walk.after is None:
            return keys
        after = walk.after[1]
        return [key for key in keys if (key < after) is walk.order.is_descending and key != after]

    def _sorted(self, walk: Scan, table: Sql, tests: Sequence[Condition]) -> list[Row]:
        """The first of the orders in the table `c` that pass the tests."""
        order = walk.order
        bounds = self._bounds(walk, key="o.id", value=f"o.{order.column}")
        test = all_of([*(one.test for one in tests), *bounds])
        sql = (
            f"SELECT {self._selected(walk, f'o.{order.column}')} FROM {table.text}"  # noqa: S608
            f" {self._dialect.JOIN}"
            + (f" WHERE {test.text}" if test else "")
            + f" ORDER BY o.{order.column} {order.way}, o.id {order.way} LIMIT {walk.n}"
        )
        return self._rows(sql, table.params + test.params)


def _united(arms: Sequence[Sql], how: str = "UNION ALL") -> tuple[str, tuple[object, ...]]:
    if len(arms) == 1:
        return arms[0].text, arms[0].params
    sql = f" {how} ".join(f"SELECT * FROM ({one.text}) a{n}" for n, one in enumerate(arms))  # noqa: S608
    return sql, tuple(param for one in arms for param in one.params)
