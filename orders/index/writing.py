"""What one answer of Goody changes in the index.

Answers are compared by the moment our request started and never by the rank of their status: an
older read that arrives late changes nothing. Only what differs is written. Every function here is
one transaction, and what it writes can be had from Goody again at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DataError, connections, transaction

from goody.types import QUARANTINE_BYTES, BadOrder, Quarantined
from goody.types import Order as GoodyOrder
from orders.models import EXACT, Order
from orders.models.durability import rebuildable
from orders.models.statements import marks, prepared

from .copies import Remembered, Row, Stored, is_surer
from .rows import Change, write_changes

log = logging.getLogger(__name__)

_WRITERS_LOCK = 0x600D1


def remember(
    orders: Iterable[GoodyOrder], *, read_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> Remembered:
    """Store what one answer of Goody said, unless a later request already said more.

    `read_at` is the moment our request started (aware UTC).
    """
    return _remember([Row.of(order) for order in orders], read_at=read_at, using=using)


def remember_rows(
    rows: Iterable[Row], *, read_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> Remembered:
    """As `remember`, for rows that are not parsed yet: those whose bytes we know never are.

    A row that is no order is set aside and the others stay.
    """
    given: list[Row] = []
    unreadable: list[Quarantined] = []
    for row in rows:
        try:
            _ = row.order_id
        except BadOrder as error:
            unreadable.append(row.quarantined(error))
        else:
            given.append(row)
    remembered = _remember(given, read_at=read_at, using=using)
    remembered.quarantined += unreadable
    return remembered


def mark_missing(order_id: UUID, *, read_at: datetime) -> None:
    """Note that Goody does not know the order (404). The row is never deleted."""
    Order.objects.filter(uuid=order_id, read_at__lte=read_at).update(missing_at=read_at)


@dataclass(slots=True)
class _Plan:
    """What is to be done with each order of an answer."""

    new: list[Row] = field(default_factory=list)
    changed: list[tuple[Stored, Row]] = field(default_factory=list)
    same: list[tuple[Stored, Row]] = field(default_factory=list)
    retimed: list[tuple[Stored, Row]] = field(default_factory=list)
    unreadable: dict[UUID, Quarantined] = field(default_factory=dict)

    def add(self, stored: Stored | None, given: Row, *, read_at: datetime) -> None:
        try:
            self._sort_in(stored, given, read_at)
        except BadOrder as error:
            self.unreadable[given.order_id] = given.quarantined(error)

    def _sort_in(self, stored: Stored | None, given: Row, read_at: datetime) -> None:
        if stored is None:
            _ = given.order
            self.new.append(given)
            return
        if not stored.is_later_than(read_at):
            if not stored.is_repeated_by(given):
                self.changed.append((stored, given))
                return
            self.same.append((stored, given))
        if stored.better(given.created):
            self.retimed.append((stored, given))

    def refuse(self, row: Quarantined) -> None:
        """The database did not take it."""
        assert row.id is not None
        self.unreadable[row.id] = row
        self.new = [one for one in self.new if one.order_id != row.id]
        self.changed = [pair for pair in self.changed if pair[0].uuid != row.id]

    def changes(self) -> list[Change]:
        return [
            *(Change(None, one, one.created) for one in self.new),
            *(Change(stored, one, stored.better(one.created)) for stored, one in self.changed),
            *(Change(stored, None, stored.better(one.created)) for stored, one in self.retimed),
        ]


def _remember(given: Sequence[Row], *, read_at: datetime, using: str) -> Remembered:
    found = _each_once(given)
    plan = _Plan()
    with rebuildable(using=using):
        _let_nobody_else_write(using)
        stored = _stored(found, using=using)
        for order_id, one in found.items():
            plan.add(stored.get(order_id), one, read_at=read_at)
        _renew(plan.same, read_at=read_at, using=using)
        for refused in _write(plan.changes(), read_at=read_at, using=using):
            plan.refuse(refused)
    return Remembered(
        order_ids=[one.order_id for one in given if one.order_id not in plan.unreadable],
        created={
            order_id: row.created_at
            for order_id, row in stored.items()
            if row.created_from in EXACT and row.created_at is not None
        },
        new=len(plan.new),
        changed=len(plan.changed),
        same=len(found) - len(plan.new) - len(plan.changed) - len(plan.unreadable),
        parsed=[one.order for one in (*plan.new, *(one for _, one in plan.changed))],
        quarantined=list(plan.unreadable.values()),
    )


def _each_once(given: Sequence[Row]) -> dict[UUID, Row]:
    """The feed has an order once for each of its activities, only one of which dates it."""
    found: dict[UUID, Row] = {}
    for one in given:
        other = found.get(one.order_id)
        if other is not None and is_surer(other.created, one.created):
            one.created = other.created
        found[one.order_id] = one
    return found


def _let_nobody_else_write(using: str) -> None:
    """Until the commit. SQLite's transactions do so by themselves."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITERS_LOCK])


def _stored(found: dict[UUID, Row], *, using: str) -> dict[UUID, Stored]:
    """Our copies of the orders of an answer."""
    if not found:
        return {}
    *names, times = Stored._fields
    # A list gives none, and the copy's stay what they are.
    times = "NULL" if all(one.row_hash for one in found.values()) else times
    ids = prepared(Order, "uuid", found, using=using)
    # Every name here comes from the model, none from outside.
    sql = f"SELECT {', '.join(names)}, {times} FROM orders_order WHERE uuid IN ({marks(ids)})"  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY id", ids)
        rows = [Stored.from_database(values) for values in cursor.fetchall()]
    return {row.uuid: row for row in rows}


def _renew(same: Sequence[tuple[Stored, Row]], *, read_at: datetime, using: str) -> None:
    if not same:
        return
    ids = [row.id for row, _ in same]
    started = prepared(Order, "read_at", [read_at], using=using)
    sql = f"UPDATE orders_order SET read_at = %s WHERE id IN ({marks(ids)})"  # noqa: S608
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [*started, *ids])
    for row, given in same:
        if given.row_hash not in ("", row.row_hash):
            Order.objects.using(using).filter(pk=row.id).update(row_hash=given.row_hash)


def _write(changes: Sequence[Change], *, read_at: datetime, using: str) -> list[Quarantined]:
    """One row that the database refuses must not cost the others: then each is written alone, and
    those that it refused are returned.
    """
    if not changes:
        return []
    try:
        with transaction.atomic(using=using):
            write_changes(changes, read_at=read_at, using=using)
    except DataError:
        alone = [_write_alone(change, read_at=read_at, using=using) for change in changes]
        return [refused for refused in alone if refused]
    return []


def _write_alone(change: Change, *, read_at: datetime, using: str) -> Quarantined | None:
    try:
        with transaction.atomic(using=using):
            write_changes([change], read_at=read_at, using=using)
    except DataError as error:
        log.warning("order %s could not be stored: %s", change.order_id, type(error).__name__)
        raw = change.row.raw[:QUARANTINE_BYTES] if change.row else b""
        return Quarantined(reason="our database refuses it", id=change.order_id, raw=raw)
    return None
