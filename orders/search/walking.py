"""From conditions to the first so many rows in an order, without looking at all that match.

Which index to walk is decided here and not by the databases: neither knows that a walk may end
after fifty hits, nor how the others are spread along it. What is tried, in turn:

1. the most promising index that is in the order asked for, some thousand entries far;
2. all that fulfill the rarest condition, if they are not too many: then the answer is exact;
3. the walk again, to its end or that of the budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .conditions import Asked
from .matching import Asking
from .sql import Condition, Source, Sql, all_of

# Entries of an index that are walked before anything else is tried, and how many orders are
# fetched and sorted at most.
_FIRST_WALK = 4000
_MOST_FETCHED = 10_000
_TO_THE_END = 1_000_000_000

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


@dataclass(frozen=True, slots=True)
class Walk:
    """The first `n` rows in `order` behind the row at `after` (its value and id).

    A row of the answer is (id, value, *columns): what is selected of `o`.
    """

    order: Order
    n: int
    columns: str = ""
    after: tuple[Any, int] | None = None


class Walker:
    def __init__(self, asking: Asking, asked: Asked) -> None:
        self._asking = asking
        self._dialect = asking.dialect
        self._rows = asking.budget.rows
        self._asked = asked
        self._conditions = sorted(asked.conditions, key=lambda one: one.rarity)

    def take(self, walk: Walk, *extra: Condition) -> list[Row]:
        """Raises TooBroad. `extra`: conditions beside those of the query."""
        conditions = [*extra, *self._conditions]
        if walk.order.column != "expires_at":
            conditions += self._expiry_window()
        if walk.order.column != "id":
            conditions += self._creation_window()
        guide = self._guide(walk, conditions)
        tests = [one for one in conditions if one is not guide]
        rows = self._walked(walk, guide, tests, far=_FIRST_WALK if tests else walk.n)
        if len(rows) >= walk.n or not tests:
            return rows
        for one in conditions:
            if one.sources and (ids := self._all_of(one)) is not None:
                return self._sorted(walk, ids, [other for other in conditions if other is not one])
        return self._walked(walk, guide, tests, far=_TO_THE_END)

    def _guide(self, walk: Walk, conditions: Sequence[Condition]) -> Condition:
        """The condition whose index is walked: the rarest in that order, else all orders."""
        column = walk.order.column
        sorted_ = [one for one in conditions if one.is_sorted_by(column)]
        return sorted_[0] if sorted_ else _everything(column)

    # --- windows ------------------------------------------------------------------------------

    def _expiry_window(self) -> list[Condition]:
        bounds = all_of(self._expiry_bounds("expires_at"))
        if not bounds:
            return []
        source = Source(bounds, sorts=(("expires_at", "orders_order_expires"),))
        return [Condition(all_of(self._expiry_bounds("o.expires_at")), (source,), rarity=55)]

    def _expiry_bounds(self, value: str) -> list[Sql]:
        low, high = self._asked.expires
        return [
            *([Sql(f"{value} >= %s", (self._dialect.plain(low),))] if low else []),
            *([Sql(f"{value} < %s", (self._dialect.plain(high),))] if high else []),
        ]

    def _creation_window(self) -> list[Condition]:
        parts = self._place_bounds("o.id")
        return [Condition(all_of(parts))] if parts else []

    def _place_bounds(self, key: str) -> list[Sql]:
        low, high = self._asked.places
        return [
            *([Sql(f"{key} >= %s", (low,))] if low is not None else []),
            *([Sql(f"{key} < %s", (high,))] if high is not None else []),
        ]

    # --- walking ------------------------------------------------------------------------------

    def _walked(
        self, walk: Walk, guide: Condition, tests: Sequence[Condition], *, far: int
    ) -> list[Row]:
        arms = [self._arm(walk, source, tests, far) for source in guide.sources]
        rows = self._rows(*_united(arms))
        return rows if len(arms) == 1 else _merged(rows, walk)

    def _arm(self, walk: Walk, source: Source, tests: Sequence[Condition], far: int) -> Sql:
        """The first rows that one index has."""
        order, dialect = walk.order, self._dialect
        value = source.key if order.column == "id" else order.column
        where = all_of([source.where, *self._bounds(walk, key=source.key, value=value)])
        way = "DESC" if order.is_descending else "ASC"
        by = dict.fromkeys((value, source.key))
        inner = (
            f"SELECT {source.key} AS id, {value} AS value"  # noqa: S608
            f" FROM {dialect.from_(source, order.column)}"
            + (f" WHERE {where.text}" if where else "")
            + f" ORDER BY {', '.join(f'{one} {way}' for one in by)}"
            + f" LIMIT {far}"
        )
        test = all_of(one.test for one in tests)
        sql = (
            f"SELECT {self._selected(walk, 'c.value')} FROM ({inner}) c"  # noqa: S608
            f" {dialect.JOIN} orders_order o ON o.id = c.id"
            + (f" WHERE {test.text}" if test else "")
            + dialect.walked(f"c.value {way}, c.id {way}")
            + f" LIMIT {walk.n}"
        )
        return Sql(sql, where.params + test.params)

    def _bounds(self, walk: Walk, *, key: str, value: str) -> list[Sql]:
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

    def _selected(self, walk: Walk, value: str) -> str:
        if walk.order.column == "expires_at":
            value = self._dialect.instant(value)
        return ", ".join(filter(None, ("o.id", value, walk.columns)))

    # --- fetching all -------------------------------------------------------------------------

    def _all_of(self, condition: Condition) -> list[int] | None:
        """The keys of all that fulfill it; None: too many."""
        arms = []
        for source in condition.sources:
            where = all_of([source.where, *self._place_bounds(source.key)])
            arms.append(
                Sql(
                    f"SELECT {source.key} AS id FROM {self._dialect.from_(source, 'id')}"  # noqa: S608
                    f" WHERE {where.text} LIMIT {_MOST_FETCHED + 1}",
                    where.params,
                )
            )
        rows = self._rows(*_united(arms, limit=_MOST_FETCHED * 2 + 1))
        ids = {pk for (pk,) in rows}
        return list(ids) if len(rows) <= _MOST_FETCHED else None

    def _sorted(self, walk: Walk, ids: Sequence[int], tests: Sequence[Condition]) -> list[Row]:
        """The first of these orders that pass the tests."""
        if not ids:
            return []
        order = walk.order
        way = "DESC" if order.is_descending else "ASC"
        table = self._dialect.listed(ids)
        bounds = self._bounds(walk, key="o.id", value=f"o.{order.column}")
        test = all_of([*(one.test for one in tests), *bounds])
        sql = (
            f"SELECT {self._selected(walk, f'o.{order.column}')} FROM {table.text}"  # noqa: S608
            f" {self._dialect.JOIN} orders_order o ON o.id = c.id"
            + (f" WHERE {test.text}" if test else "")
            + f" ORDER BY o.{order.column} {way}, o.id {way} LIMIT {walk.n}"
        )
        return self._rows(sql, table.params + test.params)


def _everything(column: str) -> Condition:
    """All orders, in that order."""
    return Condition(Sql(""), (Source(Sql(""), sorts=((column, INDEXES[column]),)),))


def _united(arms: Sequence[Sql], *, limit: int | None = None) -> tuple[str, tuple[object, ...]]:
    if len(arms) == 1:
        return arms[0].text, arms[0].params
    sql = " UNION ALL ".join(f"SELECT * FROM ({one.text}) a{n}" for n, one in enumerate(arms))  # noqa: S608
    if limit is not None:
        sql += f" LIMIT {limit}"
    return sql, tuple(param for one in arms for param in one.params)


def _merged(rows: Iterable[Row], walk: Walk) -> list[Row]:
    """The first of several walks, each once."""
    once = {row[0]: row for row in rows}
    ranked = sorted(
        once.values(), key=lambda row: (row[1], row[0]), reverse=walk.order.is_descending
    )
    return ranked[: walk.n]
