"""The statements by which rows are written.

They are our own because the ORM writes one row in the time of fifteen, and a first sync writes a
million. Every name in them is a constant or comes from the models, none from outside.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

from orders.models import Order

# Columns are called as their fields.
COLUMNS = tuple(field.name for field in Order._meta.concrete_fields if field.name != "id")
# Kept from earlier reads when an answer lacks them.
_COALESCED = ("event_times",)
# In one statement; SQLite takes 32,766.
VALUES_AT_ONCE = 30_000

type Rows = Sequence[Sequence[Any]]


class Statement(Protocol):
    def run(self, cursor: Any, rows: Rows) -> None:
        """Execute it for all rows, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class EachRow:
    """A statement for one row."""

    sql: str

    def run(self, cursor: Any, rows: Rows) -> None:
        cursor.executemany(self.sql, rows)


@dataclass(frozen=True, slots=True, eq=False)
class ManyRows:
    """An INSERT of as many rows as a statement takes; `row` holds the marks of one.

    SQLite's text index writes down what it has collected at the end of every statement that fires
    triggers, and other threads wait for Python as often as a statement begins.
    """

    insert: str
    row: str
    after: str = ""

    def run(self, cursor: Any, rows: Rows) -> None:
        for some in _portions(rows):
            marks = ", ".join([self.row] * len(some))
            values = [value for row in some for value in row]
            cursor.execute(f"{self.insert} VALUES {marks} {self.after}", values)


def _portions(rows: Rows) -> Iterator[Rows]:
    """As many at once as a statement takes, in whole eighths of it, and the rest: a statement is
    kept prepared under its text, and large ones, each of another size, would fill the memory.
    """
    most = VALUES_AT_ONCE // len(rows[0])
    whole = len(rows) - len(rows) % (most // 8)
    yield from itertools.batched(rows[:whole], most)
    if rest := rows[whole:]:
        yield rest


@dataclass(frozen=True, slots=True)
class Statements:
    """In the order in which they are executed."""

    move_row: Statement
    move_payload: Statement
    move_products: Statement
    move_start: Statement
    update_created_at: Statement
    forget_start: Statement
    forget_products: Statement
    insert: Statement
    update: Statement
    payload: Statement
    start: Statement
    product: Statement
    count: Statement

    @classmethod
    def of(cls, vendor: str) -> Self:
        as_json = "::jsonb" if vendor == "postgresql" else ""
        marks = ["%s" + (as_json if column == "event_times" else "") for column in COLUMNS]
        changes = [
            f"{column} = COALESCE({mark}, {column})"
            if column in _COALESCED
            else f"{column} = {mark}"
            for column, mark in zip(COLUMNS, marks, strict=True)
        ]
        return cls(
            move_row=EachRow("UPDATE orders_order SET id = %s WHERE id = %s"),
            move_payload=EachRow("UPDATE orders_orderpayload SET id = %s WHERE id = %s"),
            move_products=EachRow(
                "UPDATE orders_otherproduct SET order_id = %s WHERE order_id = %s"
            ),
            move_start=EachRow(
                "UPDATE orders_wordstart SET order_id = %s WHERE start = %s AND order_id = %s"
            ),
            update_created_at=EachRow(
                "UPDATE orders_order SET created_at = %s, created_from = %s WHERE id = %s"
            ),
            forget_start=EachRow("DELETE FROM orders_wordstart WHERE start = %s AND order_id = %s"),
            forget_products=EachRow("DELETE FROM orders_otherproduct WHERE order_id = %s"),
            insert=ManyRows(
                f"INSERT INTO orders_order ({', '.join(COLUMNS)}, id)", f"({', '.join(marks)}, %s)"
            ),
            update=EachRow(f"UPDATE orders_order SET {', '.join(changes)} WHERE id = %s"),  # noqa: S608
            payload=ManyRows(
                "INSERT INTO orders_orderpayload (id, packed)",
                "(%s, %s)",
                "ON CONFLICT (id) DO UPDATE SET packed = excluded.packed",
            ),
            start=ManyRows(
                "INSERT INTO orders_wordstart (start, order_id)",
                "(%s, %s)",
                "ON CONFLICT DO NOTHING",
            ),
            product=ManyRows(
                "INSERT INTO orders_otherproduct (order_id, product_id, brand_id)", "(%s, %s, %s)"
            ),
            count=ManyRows(
                "INSERT INTO orders_ordercount (workspace_id, status, n)",
                "(%s, %s, %s)",
                "ON CONFLICT (workspace_id, status)"
                " DO UPDATE SET n = orders_ordercount.n + excluded.n",
            ),
        )

    def __iter__(self) -> Iterator[Statement]:
        return (getattr(self, field.name) for field in fields(self))
