"""How PostgreSQL is asked: pg_trgm, whose hits come in no order."""

from __future__ import annotations

from collections.abc import Sequence

from .sql import Condition, IndexScan, Sql

_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def plain(value: object) -> object:
    return value


def instant(column: str) -> str:
    return column


def contains(column: str, text: str) -> Sql:
    return Sql(f"strpos({column}, %s) > 0", (text,))


def among(column: str, values: Sequence[object]) -> Sql:
    return Sql(f"{column} = ANY(%s)", (list(values),))


def listed(values: Sequence[int]) -> Sql:
    """A table `c` with these keys as `id`, in whatever order."""
    return Sql("unnest(%s::bigint[]) c(id)", (list(values),))


def holding(table: str, column: str, text: str, part: str) -> IndexScan:
    """The rows of `table` whose `column` holds the folded text, of three characters or more.

    `part` of it is looked up.
    """
    where = Sql(f"{column} LIKE %s", (f"%{part.translate(_SPECIAL)}%",))
    if part != text:
        more = contains(column, text)
        where = Sql(f"{where.text} AND {more.text}", where.params + more.params)
    return IndexScan(where, table, is_text=True)


def from_(source: IndexScan, _sort: str) -> str:
    return source.table


def merged(arms: Sequence[str], by: str, limit: int) -> str:
    """Several walks as one in the order `by`, of which `limit` rows are wanted; each row once.
    Only where each is limited as well they are merged and not read to the end first."""
    if len(arms) == 1:
        return f"{arms[0]} ORDER BY {by}"
    limited = (f"(SELECT * FROM ({arm} ORDER BY {by} LIMIT {limit}) a)" for arm in arms)  # noqa: S608
    return f"SELECT DISTINCT * FROM ({' UNION ALL '.join(limited)}) u ORDER BY {by}"  # noqa: S608


def tested(condition: Condition) -> Sql:
    """The test of a row `o` that a walk `c` has come to."""
    return condition.test


# Row by row: the planner would rather test all rows first where it takes a test for rare.
JOIN = "CROSS JOIN LATERAL (SELECT * FROM orders_order x WHERE x.id = c.id OFFSET 0) o"


def walked(columns: str) -> str:
    """The order of the inner walk is known to the planner, so that saying it costs nothing."""
    return f" ORDER BY {columns}"
