"""The SQL dialect of PostgreSQL, with pg_trgm, whose results are not sorted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .sql import Condition, IndexScan, SqlFragment

# See word_conditions.py.
MAX_LOOKED_UP_LETTERS = 1000
_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def to_parameter(value: object) -> object:
    return value


def select_time(column: str) -> str:
    return column


def text_contains(column: str, text: str) -> SqlFragment:
    return SqlFragment(f"strpos({column}, %s) > 0", (text,))


def value_in(column: str, values: Sequence[object]) -> SqlFragment:
    return SqlFragment(f"{column} = ANY(%s)", (list(values),))


def keys_subquery(values: Sequence[int]) -> SqlFragment:
    """Return SQL for a table `c` with these keys as `id`, in any order."""
    return SqlFragment("unnest(%s::bigint[]) c(id)", (list(values),))


def full_text_scan(table: str, column: str, text: str, part: str) -> IndexScan:
    """Return a scan of the rows of `table` whose `column` contains the folded text.

    The text has three characters or more. The index looks up `part` of it.
    """
    where = SqlFragment(f"{column} LIKE %s", (f"%{part.translate(_SPECIAL)}%",))
    if part != text:
        whole = text_contains(column, text)
        where = SqlFragment(f"{where.text} AND {whole.text}", where.params + whole.params)
    return IndexScan(where, table, is_indexed_by_id=False)


def from_clause(scan: IndexScan, _sort: str) -> str:
    return scan.table


def merge_scans(scans: Sequence[str], by: str, limit: int) -> str:
    """Return SQL for several scans in the order `by`, with each row once and `limit` rows at most.

    PostgreSQL merges sorted scans without reading them to the end only if each has a limit.
    """
    if len(scans) == 1:
        return f"{scans[0]} ORDER BY {by}"
    limited = (f"(SELECT * FROM ({scan} ORDER BY {by} LIMIT {limit}) a)" for scan in scans)  # noqa: S608
    return f"SELECT DISTINCT * FROM ({' UNION ALL '.join(limited)}) u ORDER BY {by}"  # noqa: S608


def row_condition(condition: Condition) -> SqlFragment:
    """Return SQL that tests the row `o` of the entry `c`."""
    return condition.test


# One row at a time: the planner would test all rows first where it takes a test for rare.
JOIN = "CROSS JOIN LATERAL (SELECT * FROM orders_order x WHERE x.id = c.id OFFSET 0) o"


def order_by_clause(columns: str) -> str:
    """Return the ORDER BY clause.

    The planner recognizes that the entries are already sorted, so it adds no sort.
    """
    return f" ORDER BY {columns}"


def aggregate_intervals(
    aggregates: str, rows: SqlFragment, column: str, bounds: Sequence[datetime]
) -> SqlFragment:
    """Return SQL for the aggregates of the rows between each two bounds.

    `rows` are FROM and WHERE clauses. A row of the result is (number of the interval, *aggregates);
    intervals without rows are left out. Planning a scan for each interval would take longer than
    the one scan.
    """
    number = f"width_bucket({column}, %s::timestamptz[]) - 1"
    within = f"{column} >= %s AND {column} < %s"
    return SqlFragment(
        f"SELECT {number}, {aggregates} {rows.text} AND {within} GROUP BY 1",
        (list(bounds), *rows.params, bounds[0], bounds[-1]),
    )
