"""Pieces of SQL with their parameters, and where the keys of orders can be had from.

`o` is the order's row in every test. Column and table names are ours, values are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Sql(NamedTuple):
    text: str
    params: tuple[object, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


NOTHING_SAID = Sql("")


def all_of(tests: Iterable[Sql]) -> Sql:
    return _joined([one for one in tests if one], " AND ")


def any_of(tests: Iterable[Sql]) -> Sql:
    return _joined([one for one in tests if one], " OR ")


def not_(test: Sql) -> Sql:
    """Also where the test says neither yes nor no, since a value is missing."""
    return Sql(f"({test.text}) IS NOT TRUE", test.params)


def _joined(tests: Sequence[Sql], word: str) -> Sql:
    """As a tree: SQLite refuses a thousand of them in a row."""
    if not tests:
        return NOTHING_SAID
    if len(tests) == 1:
        return tests[0]
    middle = len(tests) // 2
    left, right = _joined(tests[:middle], word), _joined(tests[middle:], word)
    return Sql(f"({left.text}{word}{right.text})", left.params + right.params)


@dataclass(frozen=True, slots=True)
class IndexScan:
    """An index that gives the keys of those orders for which `where` is true.

    `sorts`: by which columns of the order's row it can give them sorted, each with the name of the
    index that does; the first is taken where their order does not matter. `is_scanned`: all of
    the index has to be read to have them by id. `is_text`: how many there are cannot be counted
    cheaply.
    """

    where: Sql
    table: str = "orders_order"
    key: str = "id"
    sorts: tuple[tuple[str, str], ...] = ()
    is_scanned: bool = False
    is_text: bool = False

    def is_sorted_by(self, column: str) -> bool:
        return any(column == one for one, _ in self.sorts)

    def index_for(self, column: str) -> str:
        """The name of the index to be used; "" where there is nothing to be said."""
        first = self.sorts[0][1] if self.sorts else ""
        return next((index for one, index in self.sorts if column == one), first)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that each order found must fulfill.

    `sources` together give all that do; none where no index helps, or too many would have to be
    asked. `size` is how many do, if that is known; `text` what is looked for in people's names.
    """

    test: Sql
    sources: tuple[IndexScan, ...] = ()
    size: Callable[[], int] | None = None
    text: str = ""

    def is_sorted_by(self, column: str) -> bool:
        return bool(self.sources) and all(one.is_sorted_by(column) for one in self.sources)

    @property
    def is_quick_by_id(self) -> bool:
        """Is the first by id had without looking at others?"""
        is_slow = any(one.is_scanned or one.is_text for one in self.sources)
        return self.is_sorted_by("id") and not is_slow


def union(conditions: Sequence[Condition]) -> Condition:
    """Fulfilled where one of them is."""
    sources: tuple[IndexScan, ...] = ()
    if all(one.sources for one in conditions):
        sources = tuple(source for one in conditions for source in one.sources)
    return Condition(
        any_of(one.test for one in conditions),
        sources,
        text=next((one.text for one in conditions if one.text), ""),
    )
