"""Upserts the orders of Goody's responses into the index.

Responses are ordered by the start of their requests, never by the rank of the statuses: an older
response that arrives late changes nothing. Only differences are written. Each function is one
transaction, whose rows could be read from Goody again at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DataError, connections, transaction

from goody.types import QUARANTINE_BYTES, BadOrder, QuarantinedOrder
from goody.types import Order as GoodyOrder
from orders.models import EXACT_SOURCES, Order
from orders.models.durability import non_durable_transaction
from orders.models.statements import database_values, placeholders

from .diff import OrderOfResponse, OrdersOfResponse, StoredRow, UpsertResult, is_more_exact_time
from .rows import RowChange, write_changes

log = logging.getLogger(__name__)

_WRITERS_LOCK = 0x600D1


def upsert_orders(
    orders: Iterable[GoodyOrder], *, read_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> UpsertResult:
    """Store parsed orders of one response, unless a later request has stored them already.

    `read_at` is the start of the request (aware UTC).
    """
    page = OrdersOfResponse([OrderOfResponse.from_order(order) for order in orders], read_at)
    [result] = _upsert([page], using=using)
    return result


def upsert_rows(
    rows: Iterable[OrderOfResponse], *, read_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> UpsertResult:
    """Store unparsed rows as `upsert_orders` does. Rows with the stored bytes are not parsed.

    Unreadable rows are returned as `quarantined` and do not affect the others.
    """
    [result] = upsert_responses([OrdersOfResponse(list(rows), read_at)], using=using)
    return result


def upsert_responses(
    responses: Sequence[OrdersOfResponse], *, using: str = DEFAULT_DB_ALIAS
) -> list[UpsertResult]:
    """Store several responses as `upsert_rows` does, which costs less per row."""
    unreadable: list[list[QuarantinedOrder]] = []
    readable: list[OrdersOfResponse] = []
    for response in responses:
        rows, odd = _split_readable(response.rows)
        readable.append(OrdersOfResponse(rows, response.read_at))
        unreadable.append(odd)
    with non_durable_transaction(using=using):
        results = [one for some in _group_distinct(readable) for one in _upsert(some, using=using)]
    for one, odd in zip(results, unreadable, strict=True):
        one.quarantined += odd
    return results


def _split_readable(
    rows: Iterable[OrderOfResponse],
) -> tuple[list[OrderOfResponse], list[QuarantinedOrder]]:
    """Return the rows with a readable order id, and the others."""
    readable: list[OrderOfResponse] = []
    unreadable: list[QuarantinedOrder] = []
    for row in rows:
        try:
            _ = row.order_id
        except BadOrder as error:
            unreadable.append(row.to_quarantined_order(error))
        else:
            readable.append(row)
    return readable, unreadable


def _group_distinct(responses: Iterable[OrdersOfResponse]) -> Iterator[list[OrdersOfResponse]]:
    """Yield groups of responses that have no order in common.

    A later response is compared with the row that an earlier one wrote.
    """
    group: list[OrdersOfResponse] = []
    known: set[UUID] = set()
    for response in responses:
        ids = {row.order_id for row in response.rows}
        if not known.isdisjoint(ids):
            yield group
            group, known = [], set()
        group.append(response)
        known |= ids
    if group:
        yield group


def mark_missing(order_id: UUID, *, read_at: datetime) -> None:
    """Record that Goody does not know the order (404). The row is never deleted."""
    Order.objects.filter(uuid=order_id, read_at__lte=read_at).update(missing_at=read_at)


@dataclass(slots=True)
class _Diff:
    """The orders of one response, grouped by how they differ from the stored rows.

    The request of the response started at `read_at`.
    """

    read_at: datetime
    new: list[OrderOfResponse] = field(default_factory=list)
    changed: list[tuple[StoredRow, OrderOfResponse]] = field(default_factory=list)
    same: list[tuple[StoredRow, OrderOfResponse]] = field(default_factory=list)
    redated: list[tuple[StoredRow, OrderOfResponse]] = field(default_factory=list)
    unreadable: dict[UUID, QuarantinedOrder] = field(default_factory=dict)

    def add(self, stored: StoredRow | None, given: OrderOfResponse) -> None:
        try:
            self._classify(stored, given)
        except BadOrder as error:
            self.unreadable[given.order_id] = given.to_quarantined_order(error)

    def _classify(self, stored: StoredRow | None, given: OrderOfResponse) -> None:
        if stored is None:
            _ = given.order
            self.new.append(given)
            return
        if not stored.is_later_than(self.read_at):
            if not stored.is_same_as(given):
                self.changed.append((stored, given))
                return
            self.same.append((stored, given))
        if stored.more_exact_creation(given.created):
            self.redated.append((stored, given))

    def remove_rejected(self, rejected: Mapping[UUID, QuarantinedOrder]) -> None:
        """Move orders that the database rejected to `unreadable`."""
        for order_id in [one.order_id for one in self.new if one.order_id in rejected]:
            self.unreadable[order_id] = rejected[order_id]
        for order_id in [row.uuid for row, _ in self.changed if row.uuid in rejected]:
            self.unreadable[order_id] = rejected[order_id]
        self.new = [one for one in self.new if one.order_id not in rejected]
        self.changed = [pair for pair in self.changed if pair[0].uuid not in rejected]

    def changes(self) -> Iterator[RowChange]:
        for one in self.new:
            yield RowChange(None, one, one.created, self.read_at)
        for stored, one in self.changed:
            yield RowChange(stored, one, stored.more_exact_creation(one.created), self.read_at)
        for stored, one in self.redated:
            yield RowChange(stored, None, stored.more_exact_creation(one.created), self.read_at)


def _upsert(responses: Sequence[OrdersOfResponse], *, using: str) -> list[UpsertResult]:
    """Upsert responses that have no order in common."""
    found = [_merge_duplicates(response.rows) for response in responses]
    diffs = [_Diff(response.read_at) for response in responses]
    with non_durable_transaction(using=using):
        lock_index(using)
        stored = _load_stored(
            {key: row for rows in found for key, row in rows.items()}, using=using
        )
        for rows, diff in zip(found, diffs, strict=True):
            for order_id, one in rows.items():
                diff.add(stored.get(order_id), one)
            _update_read_at(diff.same, read_at=diff.read_at, using=using)
        changes = [change for diff in diffs for change in diff.changes()]
        rejected = {one.id: one for one in _write(changes, using=using) if one.id is not None}
    for diff in diffs:
        diff.remove_rejected(rejected)
    return [
        _result(response, len(rows), diff, stored)
        for response, rows, diff in zip(responses, found, diffs, strict=True)
    ]


def _result(
    response: OrdersOfResponse, count: int, diff: _Diff, stored: Mapping[UUID, StoredRow]
) -> UpsertResult:
    """Return the result. `count` is the number of distinct orders of the response."""
    order_ids = [one.order_id for one in response.rows if one.order_id not in diff.unreadable]
    copies = filter(None, map(stored.get, order_ids))
    return UpsertResult(
        order_ids=order_ids,
        created={
            row.uuid: row.created_at
            for row in copies
            if row.created_from in EXACT_SOURCES and row.created_at is not None
        },
        new=len(diff.new),
        changed=len(diff.changed),
        same=count - len(diff.new) - len(diff.changed) - len(diff.unreadable),
        parsed=[one.order for one in (*diff.new, *(one for _, one in diff.changed))],
        quarantined=list(diff.unreadable.values()),
    )


def _merge_duplicates(given: Sequence[OrderOfResponse]) -> dict[UUID, OrderOfResponse]:
    """Return the rows by order id, each with the most exact creation time.

    The feed has an order once for each activity, and only one of them has its creation time.
    """
    found: dict[UUID, OrderOfResponse] = {}
    for one in given:
        other = found.get(one.order_id)
        if other is not None and is_more_exact_time(other.created, one.created):
            one.created = other.created
        found[one.order_id] = one
    return found


def lock_index(using: str) -> None:
    """Lock the index until the commit. SQLite locks it with every transaction."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITERS_LOCK])


def _load_stored(found: dict[UUID, OrderOfResponse], *, using: str) -> dict[UUID, StoredRow]:
    """Return the stored rows of these orders by order id."""
    if not found:
        return {}
    *names, times = StoredRow._fields
    # Lists have no event times, so the stored ones are not compared.
    times = "NULL" if all(one.row_hash for one in found.values()) else times
    ids = database_values(Order, "uuid", found, using=using)
    # Every name in the statement comes from the model, none from input.
    sql = (
        f"SELECT {', '.join(names)}, {times} FROM orders_order WHERE uuid IN ({placeholders(ids)})"  # noqa: S608
    )
    with connections[using].cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY id", ids)
        rows = [StoredRow.from_database(values) for values in cursor.fetchall()]
    return {row.uuid: row for row in rows}


def _update_read_at(
    same: Sequence[tuple[StoredRow, OrderOfResponse]], *, read_at: datetime, using: str
) -> None:
    if not same:
        return
    ids = [row.id for row, _ in same]
    started = database_values(Order, "read_at", [read_at], using=using)
    sql = f"UPDATE orders_order SET read_at = %s WHERE id IN ({placeholders(ids)})"  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [*started, *ids])
    for row, given in same:
        if given.row_hash not in ("", row.row_hash):
            Order.objects.using(using).filter(pk=row.id).update(row_hash=given.row_hash)


def _write(changes: Sequence[RowChange], *, using: str) -> list[QuarantinedOrder]:
    """Write the changes, and return the orders that the database rejects.

    After a rejection each change is written alone, so that it does not affect the others.
    """
    if not changes:
        return []
    try:
        with transaction.atomic(using=using):
            write_changes(changes, using=using)
    except DataError:
        alone = [_write_alone(change, using=using) for change in changes]
        return [rejected for rejected in alone if rejected]
    return []


def _write_alone(change: RowChange, *, using: str) -> QuarantinedOrder | None:
    try:
        with transaction.atomic(using=using):
            write_changes([change], using=using)
    except DataError as error:
        log.warning("order %s could not be stored: %s", change.order_id, type(error).__name__)
        raw = change.row.raw[:QUARANTINE_BYTES] if change.row else b""
        return QuarantinedOrder(reason="our database refuses it", id=change.order_id, raw=raw)
    return None
