"""Writing rows: the order's own, and what stands beside it in other tables.

The statements are our own because the ORM writes one row in the time of fifteen, and a first sync
writes a million. Every name in them comes from the models, none from outside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from goody.types import Order as GoodyOrder
from orders.models import CreatedFrom, Order
from orders.models.order import pack
from orders.search.folding import starts_in

from .columns import Names, Texts, names_in, own_columns, texts_of, times_of
from .copies import Created, Stored
from .labels import LabelKey, label_ids, wording_ids
from .places import Places, is_within

_COLUMNS = tuple(
    field.column for field in Order._meta.concrete_fields if field.column and field.column != "id"
)
# Kept from earlier reads when an answer lacks them.
_COALESCED = ("event_times",)


@dataclass(frozen=True, slots=True)
class Change:
    """What is written of one order: `stored` is None for a new one, `order` where only the time
    of its creation is known better now."""

    stored: Stored | None
    order: GoodyOrder | None
    created: Created | None
    row_hash: str = ""

    @property
    def order_id(self) -> UUID | None:
        if self.order is not None:
            return self.order.id
        return self.stored.uuid if self.stored else None


def write_changes(changes: Sequence[Change], *, read_at: datetime, using: str) -> None:
    """Write them within the caller's transaction, in which nobody else writes the index."""
    connection = connections[using]
    shared = _Shared.of([change.order for change in changes if change.order], using=using)
    places = Places(connection)
    places.prepare(_moments(changes, read_at))
    statements = _Statements(connection.vendor)
    for change in changes:
        place = _place(change, places, read_at)
        if change.stored is not None and place != change.stored.id:
            statements.move(change.stored, place)
        if change.order is None:
            statements.retime(place, change.created)
        else:
            statements.put(change, change.order, place, shared, read_at)
    with connection.cursor() as cursor:
        for sql, values in statements:
            cursor.executemany(sql, values)


def _moments(changes: Iterable[Change], read_at: datetime) -> Iterator[datetime]:
    for change in changes:
        if change.created is not None:
            yield change.created.at
        elif change.stored is None:
            yield read_at


def _place(change: Change, places: Places, read_at: datetime) -> int:
    """Where it stands from now on. Of an order that nobody dates we know that it was there then."""
    stored, created = change.stored, change.created
    if stored is None:
        return places.take(created.at if created else read_at)
    if created is None or is_within(stored.id, created.at):
        return stored.id
    return places.take(created.at)


@dataclass(frozen=True, slots=True)
class _Shared:
    """The small ids of what the orders share."""

    names: dict[UUID, Names]
    texts: dict[UUID, Texts]
    labels: dict[LabelKey, int]
    wordings: dict[str, int]

    @classmethod
    def of(cls, orders: Sequence[GoodyOrder], *, using: str) -> _Shared:
        names = {order.id: names_in(order) for order in orders}
        texts = {order.id: texts_of(order) for order in orders}
        return cls(
            names,
            texts,
            label_ids((one for some in names.values() for one in some), using=using),
            wording_ids((one for some in texts.values() for one in some), using=using),
        )

    def columns(self, order_id: UUID) -> dict[str, int | None]:
        names, texts = self.names[order_id], self.texts[order_id]
        product, brand = names.products[0] if names.products else (None, None)
        named = (
            ("product_id", product),
            ("brand_id", brand),
            ("sender_id", names.sender),
            ("workspace_id", names.workspace),
        )
        return {
            **{column: self.labels[name.id] if name else None for column, name in named},
            "message_id": self.wordings.get(texts.message),
            "note_id": self.wordings.get(texts.note),
        }

    def other_products(self, order_id: UUID) -> list[tuple[int, int | None]]:
        """(product, brand) of every item but the first."""
        return [
            (self.labels[product.id], self.labels[brand.id] if brand else None)
            for product, brand in self.names[order_id].products[1:]
            if product is not None
        ]


class _Statements:
    """Collects what is to be executed, each statement once for all rows, in a safe order."""

    def __init__(self, vendor: str) -> None:
        self._is_postgresql = vendor == "postgresql"
        self._values: dict[str, list[Sequence[Any]]] = {sql: [] for sql in _statements(vendor)}
        self._sql = _Sql(*self._values)
        self._counts: Counter[tuple[int, str]] = Counter()

    def __iter__(self) -> Iterator[tuple[str, list[Sequence[Any]]]]:
        self._values[self._sql.count] = [(*key, n) for key, n in self._counts.items() if n]
        return ((sql, values) for sql, values in self._values.items() if values)

    def move(self, stored: Stored, new: int) -> None:
        """The row and what stands beside it get another key."""
        for sql in (self._sql.move_row, self._sql.move_payload, self._sql.move_products):
            self._values[sql].append((new, stored.id))
        self._values[self._sql.move_start] += [
            (new, start, stored.id) for start in starts_in(stored.people)
        ]

    def retime(self, place: int, created: Created | None) -> None:
        if created is not None:
            values = (self._plain(created.at), created.source.value, place)
            self._values[self._sql.retime].append(values)

    def put(
        self, change: Change, order: GoodyOrder, place: int, shared: _Shared, read_at: datetime
    ) -> None:
        """The row as the order has it now, and all that is derived from it."""
        stored = change.stored
        row = own_columns(order) | shared.columns(order.id)
        row |= _times(change, order, read_at) | {"row_hash": change.row_hash}
        values = [self._plain(row[column]) for column in _COLUMNS]
        sql = self._sql.insert if stored is None else self._sql.update
        self._values[sql].append((*values, place))
        self._values[self._sql.payload].append((place, pack(order.raw)))
        self._put_starts(stored, place, row["people"])
        self._put_other_products(stored, place, shared.other_products(order.id))
        self._count(stored, row)

    def _put_starts(self, stored: Stored | None, place: int, people: str) -> None:
        if stored is not None:
            if stored.people == people:
                return
            self._values[self._sql.forget_start] += [
                (start, place) for start in starts_in(stored.people)
            ]
        self._values[self._sql.start] += [(start, place) for start in starts_in(people)]

    def _put_other_products(
        self, stored: Stored | None, place: int, products: Sequence[tuple[int, int | None]]
    ) -> None:
        if stored is not None and stored.item_count > 1:
            self._values[self._sql.forget_products].append((place,))
        self._values[self._sql.product] += [(place, *one) for one in products]

    def _count(self, stored: Stored | None, row: dict[str, Any]) -> None:
        if stored is not None:
            self._counts[stored.workspace_id or 0, stored.status] -= 1
        self._counts[row["workspace_id"] or 0, row["status"]] += 1

    def _plain(self, value: Any) -> Any:
        """As the driver takes it. SQLite knows neither times nor UUIDs: as Django writes them."""
        if self._is_postgresql:
            return value
        if isinstance(value, datetime):
            return value.replace(tzinfo=None).isoformat(" ")
        return value.hex if isinstance(value, UUID) else value


def _times(change: Change, order: GoodyOrder, read_at: datetime) -> dict[str, Any]:
    """The columns about when."""
    stored, created, times = change.stored, change.created, times_of(order)
    if created is None and stored is not None and stored.created_at is not None:
        created = Created(stored.created_at, CreatedFrom(stored.created_from))
    # A 404 to a later request than this one still counts.
    missing_at = stored.missing_at if stored else None
    return {
        "created_at": created.at if created else None,
        "created_from": (created.source if created else CreatedFrom.NOWHERE).value,
        "event_times": json.dumps(times) if times is not None else None,
        "read_at": read_at,
        "missing_at": missing_at if missing_at and missing_at > read_at else None,
    }


@dataclass(frozen=True, slots=True)
class _Sql:
    """The statements, in the order in which they are executed."""

    move_row: str
    move_payload: str
    move_products: str
    move_start: str
    retime: str
    forget_start: str
    forget_products: str
    insert: str
    update: str
    payload: str
    start: str
    product: str
    count: str


def _statements(vendor: str) -> tuple[str, ...]:
    as_json = "::jsonb" if vendor == "postgresql" else ""
    marks = ["%s" + (as_json if column == "event_times" else "") for column in _COLUMNS]
    changes = [
        f"{column} = COALESCE({mark}, {column})" if column in _COALESCED else f"{column} = {mark}"
        for column, mark in zip(_COLUMNS, marks, strict=True)
    ]
    # Constants and the model's own names.
    return (
        "UPDATE orders_order SET id = %s WHERE id = %s",
        "UPDATE orders_orderpayload SET id = %s WHERE id = %s",
        "UPDATE orders_otherproduct SET order_id = %s WHERE order_id = %s",
        "UPDATE orders_wordstart SET order_id = %s WHERE start = %s AND order_id = %s",
        "UPDATE orders_order SET created_at = %s, created_from = %s WHERE id = %s",
        "DELETE FROM orders_wordstart WHERE start = %s AND order_id = %s",
        "DELETE FROM orders_otherproduct WHERE order_id = %s",
        f"INSERT INTO orders_order ({', '.join(_COLUMNS)}, id)"  # noqa: S608
        f" VALUES ({', '.join(marks)}, %s)",
        f"UPDATE orders_order SET {', '.join(changes)} WHERE id = %s",  # noqa: S608
        "INSERT INTO orders_orderpayload (id, packed) VALUES (%s, %s)"
        " ON CONFLICT (id) DO UPDATE SET packed = excluded.packed",
        "INSERT INTO orders_wordstart (start, order_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        "INSERT INTO orders_otherproduct (order_id, product_id, brand_id) VALUES (%s, %s, %s)",
        "INSERT INTO orders_ordercount (workspace_id, status, n) VALUES (%s, %s, %s)"
        " ON CONFLICT (workspace_id, status) DO UPDATE SET n = orders_ordercount.n + excluded.n",
    )
