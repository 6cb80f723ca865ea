"""The index: one slim row an order, its payload beside it. Goody stays the only truth."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
from django.db import DataError, connections, models, transaction
from django.db.models import Q

from goody.types import EventTimes, parse_order
from goody.types import Order as GoodyOrder

from .durability import rebuildable

log = logging.getLogger(__name__)

# Kept from earlier reads when an answer lacks them: only the single-order call carries them.
_KEPT_WHEN_ABSENT = ("created_at", "event_times")


class _Stored(NamedTuple):
    """What of a stored copy is compared with an answer."""

    pk: int
    uuid: UUID
    payload_hash: str
    missing_at: datetime | None
    created_at: datetime | None
    event_times: dict[str, str | None] | None = None

    def is_repeated_by(self, order: GoodyOrder) -> bool:
        """Says this answer nothing that the stored copy does not say already?"""
        return (
            self.missing_at is None
            and self.payload_hash == _content_hash(order)
            and _times_of(order) in (None, self.event_times)
        )


class OrderQuerySet(models.QuerySet["Order"]):
    def remember(self, orders: Iterable[GoodyOrder], *, read_at: datetime) -> dict[UUID, datetime]:
        """Store what one answer of Goody said, unless a later request already said more.

        `read_at` is the moment our request started (aware UTC). Copies are compared by it and
        never by the rank of their status: an older read that arrives late changes nothing.
        Rows that say the same as before only get the new `read_at`. Returns when those of them
        were created of which we knew it before.
        """
        given = {order.id: order for order in orders}
        with rebuildable(using=self.db):
            stored = self._stored(given)
            same = [row for row in stored if row.is_repeated_by(given[row.uuid])]
            self._renew(same, read_at=read_at)
            for row in same:
                del given[row.uuid]
            rows = [Order.from_goody(order, read_at=read_at) for order in given.values()]
            _upsert_all(rows, using=self.db)
        return {row.uuid: row.created_at for row in stored if row.created_at is not None}

    def _stored(self, given: Mapping[UUID, GoodyOrder]) -> list[_Stored]:
        """The copies to compare with, locked so that they stay what they are until the commit."""
        names = ["pk", "uuid", "payload_hash", "missing_at", "created_at"]
        if any(order.event_times is not None for order in given.values()):
            names.append("event_times")
        rows = self.filter(uuid__in=given).order_by("pk").select_for_update()
        return [_Stored(*row) for row in rows.values_list(*names)]

    def _renew(self, same: Iterable[_Stored], *, read_at: datetime) -> None:
        older = Q(read_at__lt=read_at) | Q(read_at__gt=_beyond(read_at))
        self.filter(older, pk__in=[row.pk for row in same]).update(read_at=read_at)

    def mark_missing(self, order_id: UUID, *, read_at: datetime) -> None:
        """Note that Goody does not know the order (404). The row is never deleted."""
        self.filter(uuid=order_id, read_at__lte=read_at).update(missing_at=read_at)


class Order(models.Model):
    """The last copy of an order that Goody gave us, and when we had asked for it."""

    uuid = models.UUIDField(unique=True)
    status = models.CharField(max_length=100)
    reference_id = models.TextField(blank=True)
    recipient_name = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(null=True)
    event_times = models.JSONField(null=True)
    payload_hash = models.CharField(max_length=64)
    # When our request started, so that an older answer that arrives late is recognised.
    read_at = models.DateTimeField()
    missing_at = models.DateTimeField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.uuid} {self.status}"

    @classmethod
    def from_goody(cls, order: GoodyOrder, *, read_at: datetime) -> Self:
        times = order.event_times
        row = cls(
            uuid=order.id,
            status=order.status[:100],
            reference_id=order.reference_id or "",
            recipient_name=" ".join(
                filter(None, (order.recipient_first_name, order.recipient_last_name))
            ),
            expires_at=order.expires_at,
            created_at=times.created_at if times else None,
            event_times=_times_of(order),
            payload_hash=_content_hash(order),
            read_at=read_at,
        )
        row.raw = order.raw.decode("utf-8", "replace")
        return row

    # The payload of a row that is about to be written; stored in OrderPayload.
    raw: str = ""

    def as_goody(self) -> GoodyOrder:
        """The stored copy as the client would have given it, with the event times we know."""
        order = parse_order(OrderPayload.objects.get(uuid=self.uuid).raw.encode())
        if order.event_times is None and self.event_times is not None:
            times = msgspec.convert(self.event_times, EventTimes)
            order = msgspec.structs.replace(order, event_times=times)
        return order


class OrderPayload(models.Model):
    """The raw JSON of one order. Text and not a JSON column: PostgreSQL's refuses \\u0000."""

    uuid = models.UUIDField(unique=True)
    raw = models.TextField()

    def __str__(self) -> str:
        return str(self.uuid)


def _beyond(read_at: datetime) -> datetime:
    """No answer is this much older than another: what was read later was read by a clock that
    has been set back since."""
    return read_at + timedelta(minutes=5)


def _times_of(order: GoodyOrder) -> dict[str, str | None] | None:
    """The event times as JSON keeps them; None when the answer carried none."""
    if order.event_times is None:
        return None
    times: dict[str, str | None] = msgspec.to_builtins(order.event_times)
    return times


def _content_hash(order: GoodyOrder) -> str:
    """Equal for a list row and a single-order answer that differ in nothing but event times."""
    bare = msgspec.structs.replace(order, raw=b"", event_times=None, unknown_fields=frozenset())
    return hashlib.sha256(msgspec.json.encode(bare)).hexdigest()


def _upsert_all(rows: Sequence[Order], *, using: str) -> None:
    if not rows:
        return
    try:
        with transaction.atomic(using=using):
            _upsert(rows, using=using)
    except DataError:
        # One row the database refuses must not cost the others: each in its own savepoint.
        for row in rows:
            _upsert_alone(row, using=using)


def _upsert_alone(row: Order, *, using: str) -> None:
    try:
        with transaction.atomic(using=using):
            _upsert([row], using=using)
    except DataError as error:
        log.warning("order %s could not be stored: %s", row.uuid, type(error).__name__)


def _upsert(rows: Sequence[Order], *, using: str) -> None:
    """INSERT ... ON CONFLICT that only a later read may win; the same SQL on both databases.

    Django's bulk_create cannot say WHERE, and without it an older read would overwrite. The
    payload follows the row: it is written where the row was, under the row's lock.
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = [field for field in Order._meta.concrete_fields if not field.primary_key]
    table = quote(Order._meta.db_table)
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    changes = ", ".join(_assignment(table, quote(f.column), f.name) for f in fields)
    # Every name here comes from the model, none from outside.
    sql = (
        f"INSERT INTO {table} ({columns}) VALUES {marks} "  # noqa: S608
        f"ON CONFLICT (uuid) DO UPDATE SET {changes} "
        f"WHERE {table}.read_at < excluded.read_at OR {table}.read_at > %s RETURNING uuid"
    )
    beyond = _beyond(max(row.read_at for row in rows))
    values: list[Any] = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row in rows
        for field in fields
    ]
    values.append(Order._meta.get_field("read_at").get_db_prep_save(beyond, connection))
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        written = {UUID(str(uuid)) for (uuid,) in cursor.fetchall()}
    OrderPayload.objects.using(using).bulk_create(
        [OrderPayload(uuid=row.uuid, raw=row.raw) for row in rows if row.uuid in written],
        update_conflicts=True,
        update_fields=["raw"],
        unique_fields=["uuid"],
    )


def _assignment(table: str, column: str, name: str) -> str:
    if name in _KEPT_WHEN_ABSENT:
        return f"{column} = COALESCE(excluded.{column}, {table}.{column})"
    if name == "missing_at":
        # A 404 to a later request than this one still counts.
        later = f"{table}.{column} > excluded.read_at"
        return f"{column} = CASE WHEN {later} THEN {table}.{column} END"
    return f"{column} = excluded.{column}"
