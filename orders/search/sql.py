"""SQL fragments with parameters, and conditions on orders with the indexes that serve them.

In every test `o` is the row of orders_order. Names of tables and columns are constants; values are
always parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

type Row = tuple[Any, ...]


class SqlFragment(NamedTuple):
    """A part of an SQL statement and the parameters of its placeholders."""

    text: str
    params: tuple[object, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


EMPTY = SqlFragment("")


def all_of(tests: Iterable[SqlFragment]) -> SqlFragment:
    return _joined([one for one in tests if one], " AND ")


def any_of(tests: Iterable[SqlFragment]) -> SqlFragment:
    return _joined([one for one in tests if one], " OR ")


def negated(test: SqlFragment) -> SqlFragment:
    """Return SQL that is true where the test is false or NULL."""
    return SqlFragment(f"({test.text}) IS NOT TRUE", test.params)


def _joined(tests: Sequence[SqlFragment], operator: str) -> SqlFragment:
    """Join the tests as a balanced tree, because SQLite limits the expression depth to 1,000."""
    if not tests:
        return EMPTY
    if len(tests) == 1:
        return tests[0]
    middle = len(tests) // 2
    left, right = _joined(tests[:middle], operator), _joined(tests[middle:], operator)
    return SqlFragment(f"({left.text}{operator}{right.text})", left.params + right.params)


@dataclass(frozen=True, slots=True)
class IndexScan:
    """A scan of an index of `table` that returns the keys of the orders for which `where` is true.

    `key` is the column that holds the order's key. `sorts` names the columns of the order by which
    the scan returns its entries sorted without reading many more of them, each with its index.
    """

    where: SqlFragment
    table: str = "orders_order"
    key: str = "id"
    sorts: tuple[tuple[str, str], ...] = ()
    # The index to read where entries need not be sorted; "" leaves it to the database.
    index: str = ""
    # Is the first entry by id, or the entry with an id, found without reading others?
    is_indexed_by_id: bool = True

    def is_sorted_by(self, column: str) -> bool:
        return any(column == one for one, _ in self.sorts)

    def index_sorted_by(self, column: str) -> str:
        """Return the name of the index to scan: that sorted by the column, or `index`."""
        return next((index for one, index in self.sorts if column == one), self.index)


@dataclass(frozen=True, slots=True)
class Condition:
    """A test that every order in the result must pass.

    `scans` are index scans that together return exactly the orders that pass it; empty if no index
    helps or too many would be read. `size` returns the number of these orders if it is known.
    `text` is the searched word, "" for other conditions.
    """

    test: SqlFragment
    scans: tuple[IndexScan, ...] = ()
    size: Callable[[], int] | None = None
    text: str = ""

    def is_sorted_by(self, column: str) -> bool:
        return bool(self.scans) and all(one.is_sorted_by(column) for one in self.scans)

    @property
    def is_indexed_by_id(self) -> bool:
        """Whether the indexes return single entries by id, and all in id order, without a sort."""
        return self.is_sorted_by("id") and all(one.is_indexed_by_id for one in self.scans)


def union_condition(conditions: Sequence[Condition]) -> Condition:
    """Return a condition that is true where at least one of the conditions is."""
    scans: tuple[IndexScan, ...] = ()
    if all(one.scans for one in conditions):
        scans = tuple(scan for one in conditions for scan in one.scans)
    return Condition(
        any_of(one.test for one in conditions),
        scans,
        text=next((one.text for one in conditions if one.text), ""),
    )


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A sort by a column of the order's row, then by id in the same direction.

    The column "id" sorts by creation. Rows without a value in the column are left out.
    """

    column: str
    is_descending: bool

    @property
    def reversed(self) -> SortOrder:
        return replace(self, is_descending=not self.is_descending)

    @property
    def direction(self) -> str:
        return "DESC" if self.is_descending else "ASC"


@dataclass(frozen=True, slots=True)
class KeysetScan:
    """The first `n` rows in `order` after the row with the value and id in `after`.

    A row of the result is (id, value, *columns), where `columns` are selected from `o`.
    """

    order: SortOrder
    n: int
    columns: str = ""
    after: tuple[Any, int] | None = None


class SqlDialect(Protocol):
    """The SQL that differs between databases, implemented by sqlite.py and postgresql.py."""

    JOIN: str
    MAX_LOOKED_UP_LETTERS: int

    def to_parameter(self, value: object, /) -> object: ...
    def select_time(self, column: str, /) -> str: ...
    def text_contains(self, column: str, text: str, /) -> SqlFragment: ...
    def value_in(self, column: str, values: Sequence[object], /) -> SqlFragment: ...
    def keys_subquery(self, values: Sequence[int], /) -> SqlFragment: ...
    def full_text_scan(self, table: str, column: str, text: str, part: str, /) -> IndexScan: ...
    def from_clause(self, scan: IndexScan, sort: str, /) -> str: ...
    def merge_scans(self, scans: Sequence[str], by: str, limit: int, /) -> str: ...
    def row_condition(self, condition: Condition, /) -> SqlFragment: ...
    def order_by_clause(self, columns: str, /) -> str: ...
    def aggregate_intervals(
        self, aggregates: str, rows: SqlFragment, column: str, bounds: Sequence[datetime], /
    ) -> SqlFragment: ...
