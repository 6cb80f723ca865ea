"""What one answer of Goody changes in the index.

Answers are compared by the moment our request started and never by the rank of their status: an
older read that arrives late changes nothing. Only what differs is written. Every function here is
one transaction, and what it writes can be had from Goody again at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DataError, connections, transaction

from goody.types import QUARANTINE_BYTES, BadOrder, Quarantined
from goody.types import Order as GoodyOrder
from orders.models import EXACT, Order
from orders.models.durability import rebuildable
from orders.models.statements import marks, prepared

from .diff import Answer, Row, Stored, UpsertResult, is_surer
from .rows import Change, write_changes

log = logging.getLogger(__name__)

_WRITERS_LOCK = 0x600D1


def upsert(
    orders: Iterable[GoodyOrder], *, read_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> UpsertResult:
    """Store what one answer of Goody said, unless a later request already said more.

    `read_at` is the moment our request started (aware UTC).
    """
    page = Answer([Row.of(order) for order in orders], read_at)
    [remembered] = _upsert([page], using=using)
    return remembered


def upsert_rows(
    rows: Iterable[Row], *, read_at: datetime, using: str = DEFAULT_DB_ALIAS
) -> UpsertResult:
    """As `remember`, for rows that are not parsed yet: those whose bytes we know never are.

    A row that is no order is set aside and the others stay.
    """
    [remembered] = upsert_answers([Answer(list(rows), read_at)], using=using)
    return remembered


def upsert_answers(
    answers: Sequence[Answer], *, using: str = DEFAULT_DB_ALIAS
) -> list[UpsertResult]:
    """As `remember_rows`, for several answers: the more at once, the less each row costs."""
    unreadable: list[list[Quarantined]] = []
    readable: list[Answer] = []
    for answer in answers:
        rows, odd = _set_aside(answer.rows)
        readable.append(Answer(rows, answer.read_at))
        unreadable.append(odd)
    with rebuildable(using=using):
        remembered = [
            one for some in _without_repeats(readable) for one in _upsert(some, using=using)
        ]
    for one, odd in zip(remembered, unreadable, strict=True):
        one.quarantined += odd
    return remembered


def _set_aside(rows: Iterable[Row]) -> tuple[list[Row], list[Quarantined]]:
    """The rows that name an order, and those that are none."""
    readable: list[Row] = []
    unreadable: list[Quarantined] = []
    for row in rows:
        try:
            _ = row.order_id
        except BadOrder as error:
            unreadable.append(row.quarantined(error))
        else:
            readable.append(row)
    return readable, unreadable


def _without_repeats(answers: Iterable[Answer]) -> Iterator[list[Answer]]:
    """In groups in which no two answers tell of the same order: the later is compared with what
    the earlier left.
    """
    group: list[Answer] = []
    known: set[UUID] = set()
    for answer in answers:
        ids = {row.order_id for row in answer.rows}
        if not known.isdisjoint(ids):
            yield group
            group, known = [], set()
        group.append(answer)
        known |= ids
    if group:
        yield group


def mark_missing(order_id: UUID, *, read_at: datetime) -> None:
    """Note that Goody does not know the order (404). The row is never deleted."""
    Order.objects.filter(uuid=order_id, read_at__lte=read_at).update(missing_at=read_at)


@dataclass(slots=True)
class _Plan:
    """What is to be done with each order of an answer, whose request started at `read_at`."""

    read_at: datetime
    new: list[Row] = field(default_factory=list)
    changed: list[tuple[Stored, Row]] = field(default_factory=list)
    same: list[tuple[Stored, Row]] = field(default_factory=list)
    redated: list[tuple[Stored, Row]] = field(default_factory=list)
    unreadable: dict[UUID, Quarantined] = field(default_factory=dict)

    def add(self, stored: Stored | None, given: Row) -> None:
        try:
            self._sort_in(stored, given)
        except BadOrder as error:
            self.unreadable[given.order_id] = given.quarantined(error)

    def _sort_in(self, stored: Stored | None, given: Row) -> None:
        if stored is None:
            _ = given.order
            self.new.append(given)
            return
        if not stored.is_later_than(self.read_at):
            if not stored.is_repeated_by(given):
                self.changed.append((stored, given))
                return
            self.same.append((stored, given))
        if stored.better(given.created):
            self.redated.append((stored, given))

    def refuse(self, refused: Mapping[UUID, Quarantined]) -> None:
        """The database did not take these."""
        for order_id in [one.order_id for one in self.new if one.order_id in refused]:
            self.unreadable[order_id] = refused[order_id]
        for order_id in [row.uuid for row, _ in self.changed if row.uuid in refused]:
            self.unreadable[order_id] = refused[order_id]
        self.new = [one for one in self.new if one.order_id not in refused]
        self.changed = [pair for pair in self.changed if pair[0].uuid not in refused]

    def changes(self) -> Iterator[Change]:
        for one in self.new:
            yield Change(None, one, one.created, self.read_at)
        for stored, one in self.changed:
            yield Change(stored, one, stored.better(one.created), self.read_at)
        for stored, one in self.redated:
            yield Change(stored, None, stored.better(one.created), self.read_at)


def _upsert(answers: Sequence[Answer], *, using: str) -> list[UpsertResult]:
    """No two of them tell of the same order."""
    found = [_each_once(answer.rows) for answer in answers]
    plans = [_Plan(answer.read_at) for answer in answers]
    with rebuildable(using=using):
        lock_index(using)
        stored = _stored({key: row for rows in found for key, row in rows.items()}, using=using)
        for rows, plan in zip(found, plans, strict=True):
            for order_id, one in rows.items():
                plan.add(stored.get(order_id), one)
            _renew(plan.same, read_at=plan.read_at, using=using)
        changes = [change for plan in plans for change in plan.changes()]
        refused = {one.id: one for one in _write(changes, using=using) if one.id is not None}
    for plan in plans:
        plan.refuse(refused)
    return [
        _result(answer, len(rows), plan, stored)
        for answer, rows, plan in zip(answers, found, plans, strict=True)
    ]


def _result(answer: Answer, count: int, plan: _Plan, stored: Mapping[UUID, Stored]) -> UpsertResult:
    """`count`: how many orders the answer told of."""
    order_ids = [one.order_id for one in answer.rows if one.order_id not in plan.unreadable]
    copies = filter(None, map(stored.get, order_ids))
    return UpsertResult(
        order_ids=order_ids,
        created={
            row.uuid: row.created_at
            for row in copies
            if row.created_from in EXACT and row.created_at is not None
        },
        new=len(plan.new),
        changed=len(plan.changed),
        same=count - len(plan.new) - len(plan.changed) - len(plan.unreadable),
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


def lock_index(using: str) -> None:
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


def _write(changes: Sequence[Change], *, using: str) -> list[Quarantined]:
    """One row that the database refuses must not cost the others: then each is written alone, and
    those that it refused are returned.
    """
    if not changes:
        return []
    try:
        with transaction.atomic(using=using):
            write_changes(changes, using=using)
    except DataError:
        alone = [_write_alone(change, using=using) for change in changes]
        return [refused for refused in alone if refused]
    return []


def _write_alone(change: Change, *, using: str) -> Quarantined | None:
    try:
        with transaction.atomic(using=using):
            write_changes([change], using=using)
    except DataError as error:
        log.warning("order %s could not be stored: %s", change.order_id, type(error).__name__)
        raw = change.row.raw[:QUARANTINE_BYTES] if change.row else b""
        return Quarantined(reason="our database refuses it", id=change.order_id, raw=raw)
    return None
