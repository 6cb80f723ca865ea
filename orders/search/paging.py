"""One page of a list, and the pages beside it: by the key of a row, never by a number of rows.

What is inserted meanwhile shifts nothing. A `Key` is plain data that the caller gives back, signed
as it may be; of a list sorted by recipient it holds the order's id, not the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from .conditions import CompiledQuery, compile_query
from .context import SearchContext
from .deadline import SECONDS, Deadline, deadline
from .execute import INDEXES, Executor, Order, Row, Scan
from .hits import Hit, columns, make_hits
from .query import Query, Sort
from .sql import Condition, IndexScan, Sql, not_

_COLUMNS = {
    "created": "id",
    "expires": "expires_at",
    "amount": "amount_cents",
    "recipient": "name_key",
    "best": "id",
}


class Key(NamedTuple):
    """Where in a list a row stands: the value it is sorted by, and its place by creation.

    The value is an ISO time of an expiration, cents of an amount, of a recipient the order's id
    (hex), 1 of whoever is named in full where those are first; None in lists by creation, and for
    a row without the value.
    """

    value: str | int | None
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """`hits` in the order of the list; `next` and `previous` are None where nothing follows."""

    hits: Sequence[Hit]
    next: Key | None
    previous: Key | None


EMPTY = Page((), None, None)


def find_page(
    query: Query,
    *,
    size: int,
    now: datetime,
    at: Key | None = None,
    backwards: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> Page:
    """The `size` rows behind `at`, or the first; if `backwards`, those before it, or the last.

    Give `next` of a page to get the one behind it, and `previous` with `backwards` to get the one
    before. `now` (aware) decides what is expired. Raises SearchTimeout.
    """
    with deadline(SECONDS, using=using) as given:
        return Finder(given, query, now=now).page(size, at, backwards=backwards)


def iterate(
    query: Query, *, chunk: int = 500, now: datetime, using: str = DEFAULT_DB_ALIAS
) -> Iterator[Hit]:
    """All hits in the order of the list, some at a time: each `chunk` has its own second.

    Raises SearchTimeout, also in the middle.
    """
    at: Key | None = None
    while True:
        page = find_page(query, size=chunk, now=now, at=at, using=using)
        yield from page.hits
        if page.next is None:
            return
        at = page.next


def first_found(
    queries: Iterable[Query], *, limit: int, now: datetime, using: str = DEFAULT_DB_ALIAS
) -> tuple[Query, list[UUID]] | None:
    """The first of the queries that finds anything, and the first `limit` orders of its list.

    They share a second. Raises SearchTimeout.
    """
    with deadline(SECONDS, using=using) as given:
        for query in queries:
            if rows := Finder(given, query, now=now).rows(limit, selected="o.uuid"):
                return query, [UUID(str(row[2])) for row in rows]
    return None


@dataclass(frozen=True, slots=True)
class _Part:
    """Of a list: those with the value that it is sorted by, or those without, newest first. Where
    the best matches are first, that is the name in full.
    """

    asked: CompiledQuery
    order: Order
    is_empty: bool = False
    after: tuple[Any, int] | None = None

    @property
    def reversed(self) -> _Part:
        return replace(self, order=self.order.reversed)


class Finder:
    """One query, with the conditions that it means to this database."""

    def __init__(self, given: Deadline, query: Query, *, now: datetime) -> None:
        self.asking = SearchContext(given)
        self.asked = compile_query(query, self.asking, now=now)
        self.query = query
        self._sort = query.order
        self._column = _COLUMNS[self._sort.key]

    def page(self, size: int, at: Key | None, *, backwards: bool) -> Page:
        selected = columns(self.asking.dialect)
        rows = self.rows(size + 1, at, backwards=backwards, selected=selected)
        more, rows = len(rows) > size, rows[:size]
        if not rows:
            return EMPTY
        if backwards:
            rows.reverse()
        is_first, is_last = (not more, at is None) if backwards else (at is None, not more)
        return Page(
            hits=make_hits(rows, self.asking.labels, vendor=self.asking.deadline.vendor),
            next=None if is_last else self.key(rows[-1]),
            previous=None if is_first else self.key(rows[0]),
        )

    def rows(
        self, n: int, at: Key | None = None, *, backwards: bool = False, selected: str = ""
    ) -> list[Row]:
        """(id, value, *selected) of the first `n` behind `at`, in the direction of the walk."""
        found: list[Row] = []
        if self.asked is None:
            return found
        for part in self._parts(self.asked, at, backwards=backwards):
            walk = Scan(part.order, n - len(found), selected, part.after)
            rows = Executor(self.asking, part.asked).take(walk)
            found += [(row[0], None, *row[2:]) for row in rows] if part.is_empty else rows
            if len(found) >= n:
                break
        return found

    def count(self, limit: int) -> tuple[int, bool]:
        """How many there are, and whether they are more than `limit` or that was not found out."""
        if self.asked is None:
            return 0, False
        # In whatever order is the cheapest; a list that is sorted by it unless told otherwise holds
        # only those that have it.
        by_itself = _COLUMNS[self.query.unsorted.order.key]
        column = by_itself if self.asked.leaves_out_without_expiry else "id"
        return Executor(self.asking, self.asked).count(column, limit=limit)

    def key(self, row: Row) -> Key:
        """Of a row with the columns of a hit."""
        pk, value, uuid = row[:3]
        if self._sort.key == "created" or value is None:
            return Key(None, pk)
        if self._sort is Sort.BEST:
            return Key(1, pk)
        if self._column == "name_key":
            return Key(UUID(str(uuid)).hex, pk)
        return Key(value.isoformat() if isinstance(value, datetime) else value, pk)

    def key_of(self, uuid: UUID) -> Key | None:
        """Where that order would stand in the list; None for one that is not in the index."""
        value = self._value
        sql = f"SELECT o.id, {value.text}, o.uuid FROM orders_order o WHERE o.uuid = %s"  # noqa: S608
        rows = self.asking.deadline.rows(sql, [*value.params, self.asking.dialect.plain(uuid)])
        return self.key(rows[0]) if rows else None

    @property
    def _value(self) -> Sql:
        """What a row is sorted by, NULL where it has none."""
        if self._sort is Sort.BEST:
            return Sql(f"CASE WHEN {self._named.test.text} THEN 1 END", self._named.test.params)
        column = f"o.{self._column}"
        return Sql(self.asking.dialect.instant(column) if column == "o.expires_at" else column)

    def holds(self, uuid: UUID) -> bool:
        """Is the order in the list?"""
        if self.asked is None:
            return False
        only = self.asking.equals("uuid", [uuid], index="")
        newest = Scan(Order("id", is_descending=True), 1)
        return bool(Executor(self.asking, self.asked.also(only)).take(newest))

    def _parts(self, asked: CompiledQuery, at: Key | None, *, backwards: bool) -> list[_Part]:
        """Those to be walked, in turn, from `at` on."""
        if self._sort is Sort.BEST:
            parts = list(self._best(asked))
        else:
            parts = [*self._valued(asked), *self._empty(asked)]
        if backwards:
            parts = [one.reversed for one in reversed(parts)]
        after = self._after(at) if at else None
        if after is None:
            return parts
        is_empty = self._sort.key != "created" and after[0] is None
        return [
            replace(one, after=after) if one.is_empty == is_empty else one
            for one in parts
            # Those with the value come first, and last where the list is walked backwards.
            if one.is_empty in (is_empty, not backwards)
        ]

    def _best(self, asked: CompiledQuery) -> Iterator[_Part]:
        newest = Order("id", is_descending=True)
        if not self._is_anybody_named():
            yield _Part(asked, newest, is_empty=True)
            return
        # Whoever is called so has the words in the name.
        yield _Part(asked.without_looking_up_words().also(self._named), newest)
        others = Condition(not_(self._named.test))
        yield _Part(asked.also(others), newest, is_empty=True)

    @cached_property
    def _named(self) -> Condition:
        return self.asking.equals("name_key", self.query.names, index=INDEXES["name_key"])

    def _is_anybody_named(self) -> bool:
        """Mostly nobody is, above all while somebody types."""
        test = self._named.test
        sql = f"SELECT 1 FROM orders_order o WHERE {test.text} LIMIT 1"  # noqa: S608
        return bool(self.asking.deadline.rows(sql, test.params))

    def _valued(self, asked: CompiledQuery) -> Iterator[_Part]:
        if self._column != "expires_at" or asked.has_expiry is not False:
            yield _Part(asked, Order(self._column, self._sort.is_descending))

    def _empty(self, asked: CompiledQuery) -> Iterator[_Part]:
        column = self._column
        if column == "id" or (column == "expires_at" and asked.leaves_out_without_expiry):
            return
        source = IndexScan(Sql(f"{column} IS NULL"), sorts=(("id", INDEXES[column]),))
        empty = Condition(Sql(f"o.{column} IS NULL"), (source,))
        yield _Part(asked.also(empty), Order("id", is_descending=True), is_empty=True)

    def _after(self, at: Key) -> tuple[Any, int] | None:
        """The value and the place; None: the order is not known any more, which takes a new
        index."""
        if self._column == "name_key" and at.value is not None:
            return self._of_recipient(UUID(str(at.value)))
        if self._column == "expires_at" and at.value is not None:
            return self.asking.dialect.plain(datetime.fromisoformat(str(at.value))), at.id
        return at.value, at.id

    def _of_recipient(self, uuid: UUID) -> tuple[Any, int] | None:
        sql = "SELECT name_key, id FROM orders_order WHERE uuid = %s"
        rows = self.asking.deadline.rows(sql, [self.asking.dialect.plain(uuid)])
        return rows[0] if rows else None
