"""The SQL of SQLite: FTS5 with trigrams, which returns the newest first without sorting.

Statements name their indexes, since the planner has no statistics to choose by. A progress handler
does not interrupt FTS5 between two hits, so that every statement limits their number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from .sql import Condition, IndexScan, Sql

# See words.py.
LOOKED_UP_LETTERS = 5
# More values than this are passed as one JSON array.
_MAX_VALUES = 50


def parameter(value: object) -> object:
    """The value as Django stores it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value.hex if isinstance(value, UUID) else value


def instant(column: str) -> str:
    """Text for datetime.fromisoformat: the driver's converters take longer than the search."""
    return f"{column} || '+00:00'"


def contains(column: str, text: str) -> Sql:
    return Sql(f"instr({column}, %s) > 0", (text,))


def among(column: str, values: Sequence[object]) -> Sql:
    parameters = tuple(map(parameter, values))
    if len(parameters) <= _MAX_VALUES:
        return Sql(f"{column} IN ({', '.join(['%s'] * len(parameters))})", parameters)
    return Sql(f"{column} IN (SELECT value FROM json_each(%s))", (json.dumps(parameters),))  # noqa: S608


def keys_table(values: Sequence[int]) -> Sql:
    """A table `c` with these keys as `id`, in their order."""
    return Sql("(SELECT value AS id FROM json_each(%s)) c", (json.dumps(values),))


def full_text(table: str, column: str, text: str, part: str) -> IndexScan:
    """The rows of `table` whose `column` contains the folded text of three characters or more.

    The index looks up `part` of the text.
    """
    fts = f"{table}_fts"
    phrase = part.replace('"', '""')
    where = Sql(f"{fts} MATCH %s", (f'"{phrase}"',))
    if part != text:
        whole = contains(f"{fts}.{column}", text)
        where = Sql(f"{where.text} AND {whole.text}", where.params + whole.params)
    return IndexScan(where, fts, "rowid", sorts=(("id", ""),), is_quick_by_id=False)


def from_(scan: IndexScan, sort: str) -> str:
    index = scan.index_for(sort)
    return f"{scan.table} INDEXED BY {index}" if index else scan.table


def merged(scans: Sequence[str], by: str, _limit: int) -> str:
    """Several scans in the order `by`, which names all selected columns; each row once.

    SQLite merges the arms of a sorted UNION without reading beyond the limit.
    """
    return f"{' UNION '.join(scans)} ORDER BY {by}"


def row_test(condition: Condition) -> Sql:
    """Tests the row `o` of the entry `c`, if possible by another index instead of the row: the rows
    of neighboring entries are on different pages.
    """
    if len(condition.scans) > 1 or not condition.is_quick_by_id:
        return condition.test
    [scan] = condition.scans
    where = f"{scan.where.text} AND {scan.key} = c.id"
    sql = f"EXISTS (SELECT 1 FROM {from_(scan, 'id')} WHERE {where})"  # noqa: S608
    return Sql(sql, scan.where.params)


# CROSS JOIN fixes the order of the tables, and with it the order of the result.
JOIN = "CROSS JOIN orders_order o ON o.id = c.id"


def order_by(_columns: str) -> str:
    """Rows follow the entries. With an ORDER BY, SQLite would read all entries and sort them."""
    return ""
