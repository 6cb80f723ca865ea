"""How SQLite is asked: FTS5 with trigrams, which answers newest first without sorting.

Indexes are named, since without statistics its planner guesses; nothing interrupts FTS5 between
two hits, so that what it is asked for is always limited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from .sql import Condition, IndexScan, Sql

# As many values stand in the statement themselves.
_FEW = 50


def plain(value: object) -> object:
    """As Django stores it there."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value.hex if isinstance(value, UUID) else value


def instant(column: str) -> str:
    """Selects it as text that datetime.fromisoformat reads as an instant: the driver's converters
    would take longer than the search."""
    return f"{column} || '+00:00'"


def contains(column: str, text: str) -> Sql:
    return Sql(f"instr({column}, %s) > 0", (text,))


def among(column: str, values: Sequence[object]) -> Sql:
    plains = tuple(map(plain, values))
    if len(plains) <= _FEW:
        return Sql(f"{column} IN ({', '.join(['%s'] * len(plains))})", plains)
    return Sql(f"{column} IN (SELECT value FROM json_each(%s))", (json.dumps(plains),))  # noqa: S608


def listed(values: Sequence[int]) -> Sql:
    """A table `c` with these keys as `id`, to be walked in whatever order."""
    return Sql("(SELECT value AS id FROM json_each(%s)) c", (json.dumps(values),))


def holding(table: str, column: str, text: str, part: str) -> IndexScan:
    """The rows of `table` whose `column` holds the folded text, of three characters or more.

    `part` of it is looked up.
    """
    fts = f"{table}_fts"
    phrase = part.replace('"', '""')
    test = Sql(f"{fts} MATCH %s", (f'"{phrase}"',))
    if part != text:
        more = contains(f"{fts}.{column}", text)
        test = Sql(f"{test.text} AND {more.text}", test.params + more.params)
    return IndexScan(test, fts, "rowid", sorts=(("id", ""),), is_text=True)


def from_(source: IndexScan, sort: str) -> str:
    index = source.index_for(sort)
    return f"{source.table} INDEXED BY {index}" if index else source.table


def merged(arms: Sequence[str], by: str, _limit: int) -> str:
    """Several walks as one in the order `by`, which sorts by all that is selected; each row once.
    They are merged without looking farther than the answer."""
    return f"{' UNION '.join(arms)} ORDER BY {by}"


def tested(condition: Condition) -> Sql:
    """The test of a row `o` that a walk `c` has come to. Neighbors in an index are far apart among
    the rows: where another index knows as well, it is asked."""
    if len(condition.sources) > 1 or not condition.is_quick_by_id:
        return condition.test
    [source] = condition.sources
    where = f"{source.where.text} AND {source.key} = c.id"
    sql = f"EXISTS (SELECT 1 FROM {from_(source, 'id')} WHERE {where})"  # noqa: S608
    return Sql(sql, source.where.params)


# The order of the tables is that of the walk, and the walk's that of the answer.
JOIN = "CROSS JOIN orders_order o ON o.id = c.id"


def walked(_columns: str) -> str:
    """SQLite answers in the order of the inner walk; told to sort, it would end it first."""
    return ""
