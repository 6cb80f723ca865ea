"""Writes the rows of orders, and the related rows in other tables."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connections

from goody.types import Order as GoodyOrder
from orders.models import CreationTimeSource
from orders.text import word_starts_of_names

from .columns import IndexData, LabelName, event_times_json, format_database_time
from .creation_keys import KeyAllocator, is_in_second
from .diff import CreationTime, OrderOfResponse, StoredRow
from .expiry_ranges import widen_expiry_ranges
from .labels import LabelKey, label_ids, store_search_texts, store_spellings
from .statements import COLUMNS, SqlStatement, Statements


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of one order, whose request started at `read_at`.

    `stored` is None for a new order, `row` if only its creation time changes.
    """

    stored: StoredRow | None
    row: OrderOfResponse | None
    created: CreationTime | None
    read_at: datetime

    @property
    def order_id(self) -> UUID | None:
        if self.row is not None:
            return self.row.order_id
        return self.stored.uuid if self.stored else None


def write_changes(changes: Sequence[RowChange], *, using: str) -> None:
    """Insert and update the rows of the changed orders, and their related rows.

    The caller is in a transaction that holds the lock of the index (writing.lock_index).
    """
    connection = connections[using]
    shared = _SharedRowIds.for_orders(
        [change.row.index_data for change in changes if change.row], using=using
    )
    allocator = KeyAllocator(using=using)
    allocator.prefetch(_creation_times(changes))
    writer = _Writer(connection.vendor)
    # Oldest first: FTS5 flushes a segment when rowids go backwards.
    placed = [(_creation_key(change, allocator), change) for change in changes]
    for creation_key, change in sorted(placed, key=itemgetter(0)):
        if change.stored is not None and creation_key != change.stored.id:
            writer.change_key(change.stored, creation_key)
        if change.row is None:
            writer.update_created_at(creation_key, change.created)
        else:
            writer.upsert_row(change, change.row, creation_key, shared)
    with connection.cursor() as cursor:
        writer.execute(cursor)
    store_spellings(_new_people(changes), using=using)


def _new_people(changes: Iterable[RowChange]) -> Iterator[str]:
    """Yield the folded names and addresses that were not stored with their order before."""
    for change in changes:
        if change.row is not None:
            people = change.row.index_data.columns["people"]
            if change.stored is None or change.stored.people != people:
                yield people


def _creation_times(changes: Iterable[RowChange]) -> Iterator[datetime]:
    for change in changes:
        if change.created is not None:
            yield change.created.at
        elif change.stored is None:
            yield change.read_at


def _creation_key(change: RowChange, allocator: KeyAllocator) -> int:
    """Return the key of the order after the change.

    An order without any creation time existed when it was read, and gets a key of that second.
    """
    stored, created = change.stored, change.created
    if stored is None:
        return allocator.allocate(created.at if created else change.read_at)
    if created is None or is_in_second(stored.id, created.at):
        return stored.id
    return allocator.allocate(created.at)


@dataclass(frozen=True, slots=True)
class _SharedRowIds:
    """The row ids of the labels and texts of the orders."""

    labels: dict[LabelKey, int]
    texts: dict[str, int]

    @classmethod
    def for_orders(cls, orders: Sequence[IndexData], *, using: str) -> _SharedRowIds:
        return cls(
            label_ids((name for one in orders for name in one.names), using=using),
            store_search_texts((text for one in orders for text in one.texts), using=using),
        )

    def columns(self, order: IndexData) -> dict[str, int | None]:
        names, texts = order.names, order.texts
        product, brand = names.products[0] if names.products else (None, None)
        return {
            "product_id": self._label(product),
            "brand_id": self._label(brand),
            "sender_id": self._label(names.sender),
            "workspace_id": self._label(names.workspace),
            "card_id": self._label(names.card),
            "message_id": self.texts.get(texts.message),
            "note_id": self.texts.get(texts.note),
        }

    def _label(self, name: LabelName | None) -> int | None:
        return self.labels[name.id] if name else None

    def other_products(self, order: IndexData) -> list[tuple[int, int | None]]:
        """Return (product, brand) of every item but the first."""
        return [
            (self.labels[product.id], self._label(brand))
            for product, brand in order.names.products[1:]
            if product is not None
        ]


class _Writer:
    """Collects the parameters of each statement, and executes the statements."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._statements = Statements.for_vendor(vendor)
        self._rows: dict[SqlStatement, list[Sequence[Any]]] = defaultdict(list)
        self._counts: Counter[tuple[int, str]] = Counter()
        # Of the orders whose key or expiration may change.
        self._keys: set[int] = set()

    def execute(self, cursor: Any) -> None:
        self._rows[self._statements.count] = [(*key, n) for key, n in self._counts.items() if n]
        for statement in self._statements:
            if rows := self._rows[statement]:
                statement.run(cursor, rows)
        if self._keys:
            widen_expiry_ranges(cursor, self._keys, vendor=self._vendor)

    def change_key(self, stored: StoredRow, new: int) -> None:
        """Change the key of the row and of its related rows."""
        self._keys.add(new)
        to = self._statements
        for statement in (to.move_row, to.move_payload, to.move_products):
            self._rows[statement].append((new, stored.id))
        self._rows[to.move_start] += [
            (new, start, stored.id) for start in word_starts_of_names(stored.people)
        ]

    def update_created_at(self, creation_key: int, created: CreationTime | None) -> None:
        if created is not None:
            values = format_database_time(created.at), created.source.value, creation_key
            self._rows[self._statements.update_created_at].append(values)

    def upsert_row(
        self, change: RowChange, given: OrderOfResponse, creation_key: int, shared: _SharedRowIds
    ) -> None:
        """Insert or update the row, and the related rows that follow from the order."""
        self._keys.add(creation_key)
        stored, to, order = change.stored, self._statements, given.index_data
        row = {
            **order.columns,
            **shared.columns(order),
            **_time_columns(change, given.order),
            "row_hash": given.row_hash,
        }
        statement = to.insert if stored is None else to.update
        self._rows[statement].append([*map(row.__getitem__, COLUMNS), creation_key])
        self._rows[to.payload].append((creation_key, order.packed))
        self._put_starts(stored, creation_key, order)
        self._put_other_products(stored, creation_key, shared.other_products(order))
        self._count(stored, row)

    def _put_starts(self, stored: StoredRow | None, creation_key: int, order: IndexData) -> None:
        to = self._statements
        if stored is not None:
            if stored.people == order.columns["people"]:
                return
            self._rows[to.delete_start] += [
                (start, creation_key) for start in word_starts_of_names(stored.people)
            ]
        self._rows[to.start] += [(start, creation_key) for start in order.starts]

    def _put_other_products(
        self,
        stored: StoredRow | None,
        creation_key: int,
        products: Sequence[tuple[int, int | None]],
    ) -> None:
        if stored is not None and stored.item_count > 1:
            self._rows[self._statements.delete_products].append((creation_key,))
        self._rows[self._statements.product] += [(creation_key, *one) for one in products]

    def _count(self, stored: StoredRow | None, row: dict[str, Any]) -> None:
        if stored is not None:
            self._counts[stored.workspace_id or 0, stored.status] -= 1
        self._counts[row["workspace_id"] or 0, row["status"]] += 1


def _time_columns(change: RowChange, order: GoodyOrder) -> dict[str, Any]:
    """Return the columns with times, some of which are kept from the stored row."""
    stored, created, times = change.stored, change.created, event_times_json(order)
    if created is None and stored is not None and stored.created_at is not None:
        created = CreationTime(stored.created_at, CreationTimeSource(stored.created_from))
    # A 404 of a later request than this one is kept.
    missing_at = stored.missing_at if stored else None
    if missing_at is not None and missing_at <= change.read_at:
        missing_at = None
    return {
        "created_at": format_database_time(created.at) if created else None,
        "created_from": (created.source if created else CreationTimeSource.NOWHERE).value,
        "event_times": json.dumps(times) if times is not None else None,
        "read_at": format_database_time(change.read_at),
        "missing_at": missing_at and format_database_time(missing_at),
    }
