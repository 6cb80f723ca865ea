"""The SQL dialect of SQLite, with FTS5 trigrams, whose results are sorted newest first.

Statements name their indexes, because the planner has no statistics to choose by. A progress
handler does not interrupt FTS5 between two results, so every statement has a LIMIT.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from .sql import Condition, IndexScan, SqlFragment

# See word_conditions.py.
MAX_LOOKED_UP_LETTERS = 5
# More values than this are passed as one JSON array.
_MAX_VALUES = 50


def to_parameter(value: object) -> object:
    """Convert the value to the form in which Django stores it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value.hex if isinstance(value, UUID) else value


def select_time(column: str) -> str:
    """Return SQL that selects a time as text for datetime.fromisoformat.

    The converters of the driver take longer than the search.
    """
    return f"{column} || '+00:00'"


def text_contains(column: str, text: str) -> SqlFragment:
    return SqlFragment(f"instr({column}, %s) > 0", (text,))


def value_in(column: str, values: Sequence[object]) -> SqlFragment:
    parameters = tuple(map(to_parameter, values))
    if len(parameters) <= _MAX_VALUES:
        return SqlFragment(f"{column} IN ({', '.join(['%s'] * len(parameters))})", parameters)
    return SqlFragment(f"{column} IN (SELECT value FROM json_each(%s))", (json.dumps(parameters),))  # noqa: S608


def keys_subquery(values: Sequence[int]) -> SqlFragment:
    """Return SQL for a table `c` with these keys as `id`, in their order."""
    return SqlFragment("(SELECT value AS id FROM json_each(%s)) c", (json.dumps(values),))


def full_text_scan(table: str, column: str, text: str, part: str) -> IndexScan:
    """Return a scan of the rows of `table` whose `column` contains the folded text.

    The text has three characters or more. The index looks up `part` of it.
    """
    fts = f"{table}_fts"
    phrase = part.replace('"', '""')
    where = SqlFragment(f"{fts} MATCH %s", (f'"{phrase}"',))
    if part != text:
        whole = text_contains(f"{fts}.{column}", text)
        where = SqlFragment(f"{where.text} AND {whole.text}", where.params + whole.params)
    return IndexScan(where, fts, "rowid", sorts=(("id", ""),), is_indexed_by_id=False)


def from_clause(scan: IndexScan, sort: str) -> str:
    index = scan.index_sorted_by(sort)
    return f"{scan.table} INDEXED BY {index}" if index else scan.table


def merge_scans(scans: Sequence[str], by: str, _limit: int) -> str:
    """Return SQL for several scans in the order `by`, with each row once.

    `by` contains all selected columns. SQLite merges the arms of a sorted UNION without reading
    beyond the limit.
    """
    return f"{' UNION '.join(scans)} ORDER BY {by}"


def row_condition(condition: Condition) -> SqlFragment:
    """Return SQL that tests the row `o` of the entry `c`.

    It reads another index instead of the row if possible, because the rows of neighboring entries
    are on different pages.
    """
    if len(condition.scans) > 1 or not condition.is_indexed_by_id:
        return condition.test
    [scan] = condition.scans
    where = f"{scan.where.text} AND {scan.key} = c.id"
    sql = f"EXISTS (SELECT 1 FROM {from_clause(scan, 'id')} WHERE {where})"  # noqa: S608
    return SqlFragment(sql, scan.where.params)


# CROSS JOIN fixes the order of the tables, and with it the order of the result.
JOIN = "CROSS JOIN orders_order o ON o.id = c.id"


def order_by_clause(_columns: str) -> str:
    """Return an empty ORDER BY clause, because the entries are sorted already.

    With an ORDER BY, SQLite would read all entries and sort them.
    """
    return ""


def aggregate_intervals(
    aggregates: str, rows: SqlFragment, column: str, bounds: Sequence[datetime]
) -> SqlFragment:
    """Return SQL for the aggregates of the rows between each two bounds.

    `rows` are FROM and WHERE clauses. A row of the result is (number of the interval, *aggregates).
    Each interval is a scan of its own part of an index, which needs no sorting.
    """
    within = f"{column} >= %s AND {column} < %s"
    intervals = list(pairwise(map(to_parameter, bounds)))
    scans = (
        f"SELECT {number}, {aggregates} {rows.text} AND {within}"
        for number in range(len(intervals))
    )
    params = (value for interval in intervals for value in (*rows.params, *interval))
    return SqlFragment(" UNION ALL ".join(scans), tuple(params))
