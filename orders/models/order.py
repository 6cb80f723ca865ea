"""The index: one slim row an order, its payload beside it. Goody stays the only truth."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec
from django.db import DataError, connections, models, transaction

from goody.types import EventTimes, parse_order
from goody.types import Order as GoodyOrder

log = logging.getLogger(__name__)

# Kept from earlier reads when an answer lacks them: only the single-order call carries them.
_KEPT_WHEN_ABSENT = ("created_at", "event_times")


class OrderQuerySet(models.QuerySet["Order"]):
    def remember(self, orders: Iterable[GoodyOrder], *, read_at: datetime) -> None:
        """Store what one answer of Goody said, unless a later request already said more.

        `read_at` is the moment our request started (aware UTC). Copies are compared by it and
        never by the rank of their status: an older read that arrives late changes nothing.
        Rows that say the same as before only get the new `read_at`.
        """
        rows = {order.id: Order.from_goody(order, read_at=read_at) for order in orders}
        with transaction.atomic(using=self.db):
            changed = self._confirm_unchanged(rows.values(), read_at=read_at)
            _upsert_all(changed, using=self.db)

    def _confirm_unchanged(self, rows: Collection[Order], *, read_at: datetime) -> list[Order]:
        """Renew the rows that Goody repeated; return the others."""
        stored = {
            row.uuid: row
            for row in self.filter(uuid__in=[row.uuid for row in rows], missing_at=None).only(
                "uuid", "payload_hash", "event_times"
            )
        }
        same = {row.uuid: row for row in rows if row.repeats(stored.get(row.uuid))}
        if same and not self._renew(same, read_at=read_at):
            return list(rows)
        return [row for row in rows if row.uuid not in same]

    def _renew(self, same: Mapping[UUID, Order], *, read_at: datetime) -> bool:
        """False if some of the copies are not, or no longer, what they were when compared."""
        hashes = [row.payload_hash for row in same.values()]
        standing = self.filter(uuid__in=list(same), payload_hash__in=hashes, missing_at=None)
        renewed = standing.filter(read_at__lt=read_at).update(read_at=read_at)
        # The payload goes with its row, or an older answer could still replace the payload alone.
        payloads = OrderPayload.objects.using(self.db).filter(uuid__in=standing.values("uuid"))
        payloads.filter(read_at__lt=read_at).update(read_at=read_at)
        return renewed == len(same)

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
            event_times=msgspec.to_builtins(times) if times else None,
            payload_hash=_content_hash(order),
            read_at=read_at,
        )
        row.raw = order.raw.decode("utf-8", "replace")
        return row

    def repeats(self, stored: Order | None) -> bool:
        """Says this answer nothing that the stored copy does not say already?"""
        return (
            stored is not None
            and stored.payload_hash == self.payload_hash
            and self.event_times in (None, stored.event_times)
        )

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
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.uuid)


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
    payloads = [OrderPayload(uuid=r.uuid, raw=r.raw, read_at=r.read_at) for r in rows]
    _upsert_model(Order, rows, using=using)
    _upsert_model(OrderPayload, payloads, using=using)


def _upsert_model(model: type[models.Model], rows: Sequence[models.Model], *, using: str) -> None:
    """INSERT ... ON CONFLICT that only a later read may win; the same SQL on both databases.

    Django's bulk_create cannot say WHERE, and without it an older read would overwrite.
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    table = quote(model._meta.db_table)
    columns = ", ".join(quote(f.column) for f in fields)
    marks = ", ".join(["%s"] * len(fields))
    changes = ", ".join(_assignment(table, quote(f.column), f.name) for f in fields)
    # Every name here comes from the model, none from outside.
    insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608
    read_at = quote("read_at")
    conflict = f"ON CONFLICT ({quote('uuid')}) DO UPDATE SET {changes}"
    only_later = f"WHERE {table}.{read_at} < excluded.{read_at}"
    sql = f"{insert} {conflict} {only_later}"
    values: list[list[Any]] = [
        [f.get_db_prep_save(f.pre_save(row, add=True), connection) for f in fields] for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def _assignment(table: str, column: str, name: str) -> str:
    if name in _KEPT_WHEN_ABSENT:
        return f"{column} = COALESCE(excluded.{column}, {table}.{column})"
    if name == "missing_at":
        # A 404 to a later request than this one still counts.
        later = f"{table}.{column} > excluded.read_at"
        return f"{column} = CASE WHEN {later} THEN {table}.{column} END"
    return f"{column} = excluded.{column}"
