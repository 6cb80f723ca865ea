"""The SQL statements that write orders and their related rows.

The ORM takes fifteen times as long, and a first sync writes a million rows. Every name in the
statements is a constant or comes from the models, none from input.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

from orders.models import Order

# All columns have the names of their fields.
COLUMNS = tuple(field.name for field in Order._meta.concrete_fields if field.name != "id")
# Kept from earlier reads when a response lacks them.
_COALESCED = ("event_times",)
# Parameters of one statement; SQLite allows 32,766.
VALUES_AT_ONCE = 30_000

type Rows = Sequence[Sequence[Any]]


class SqlStatement(Protocol):
    def run(self, cursor: Any, rows: Rows) -> None:
        """Execute the statement for all rows, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class PerRowStatement:
    """A statement that is executed once per row."""

    sql: str

    def run(self, cursor: Any, rows: Rows) -> None:
        cursor.executemany(self.sql, rows)


@dataclass(frozen=True, slots=True, eq=False)
class BulkInsert:
    """An INSERT of as many rows as fit in a statement.

    `row` has the placeholders of one row. FTS5 flushes a segment at the end of every statement that
    fires triggers, and each statement releases and reacquires the GIL.
    """

    insert: str
    row: str
    after: str = ""

    def run(self, cursor: Any, rows: Rows) -> None:
        for some in _chunks(rows):
            marks = ", ".join([self.row] * len(some))
            values = [value for row in some for value in row]
            cursor.execute(f"{self.insert} VALUES {marks} {self.after}", values)


def _chunks(rows: Rows) -> Iterator[Rows]:
    """Yield chunks of the maximal size, then one of some eighths of it, then the remaining rows.

    Prepared statements are cached by their text: large ones of many sizes would fill the memory.
    """
    most = VALUES_AT_ONCE // len(rows[0])
    whole = len(rows) - len(rows) % (most // 8)
    yield from itertools.batched(rows[:whole], most)
    if rest := rows[whole:]:
        yield rest


@dataclass(frozen=True, slots=True)
class Statements:
    """All statements, in the order of their execution."""

    move_row: SqlStatement
    move_payload: SqlStatement
    move_products: SqlStatement
    move_start: SqlStatement
    update_created_at: SqlStatement
    delete_start: SqlStatement
    delete_products: SqlStatement
    insert: SqlStatement
    update: SqlStatement
    payload: SqlStatement
    start: SqlStatement
    product: SqlStatement
    count: SqlStatement

    @classmethod
    def for_vendor(cls, vendor: str) -> Self:
        as_json = "::jsonb" if vendor == "postgresql" else ""
        marks = ["%s" + (as_json if column == "event_times" else "") for column in COLUMNS]
        changes = [
            f"{column} = COALESCE({mark}, {column})"
            if column in _COALESCED
            else f"{column} = {mark}"
            for column, mark in zip(COLUMNS, marks, strict=True)
        ]
        return cls(
            move_row=PerRowStatement("UPDATE orders_order SET id = %s WHERE id = %s"),
            move_payload=PerRowStatement("UPDATE orders_orderpayload SET id = %s WHERE id = %s"),
            move_products=PerRowStatement(
                "UPDATE orders_otherproduct SET order_id = %s WHERE order_id = %s"
            ),
            move_start=PerRowStatement(
                "UPDATE orders_wordstart SET order_id = %s WHERE start = %s AND order_id = %s"
            ),
            update_created_at=PerRowStatement(
                "UPDATE orders_order SET created_at = %s, created_from = %s WHERE id = %s"
            ),
            delete_start=PerRowStatement(
                "DELETE FROM orders_wordstart WHERE start = %s AND order_id = %s"
            ),
            delete_products=PerRowStatement("DELETE FROM orders_otherproduct WHERE order_id = %s"),
            insert=BulkInsert(
                f"INSERT INTO orders_order ({', '.join(COLUMNS)}, id)", f"({', '.join(marks)}, %s)"
            ),
            update=PerRowStatement(f"UPDATE orders_order SET {', '.join(changes)} WHERE id = %s"),  # noqa: S608
            payload=BulkInsert(
                "INSERT INTO orders_orderpayload (id, packed)",
                "(%s, %s)",
                "ON CONFLICT (id) DO UPDATE SET packed = excluded.packed",
            ),
            start=BulkInsert(
                "INSERT INTO orders_wordstart (start, order_id)",
                "(%s, %s)",
                "ON CONFLICT DO NOTHING",
            ),
            product=BulkInsert(
                "INSERT INTO orders_otherproduct (order_id, product_id, brand_id)", "(%s, %s, %s)"
            ),
            count=BulkInsert(
                "INSERT INTO orders_ordercount (workspace_id, status, n)",
                "(%s, %s, %s)",
                "ON CONFLICT (workspace_id, status)"
                " DO UPDATE SET n = orders_ordercount.n + excluded.n",
            ),
        )

    def __iter__(self) -> Iterator[SqlStatement]:
        return (getattr(self, field.name) for field in fields(self))
