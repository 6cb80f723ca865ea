"""Stores answers of Goody in the index. Database failures are logged and not raised."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.types import Order as GoodyOrder
from orders import index
from orders.models import Order
from orders.models.statements import database_values, select_tuples

log = logging.getLogger(__name__)

# The resolution of stored times.
_TICK = timedelta(microseconds=1)


def upsert_or_log(orders: Iterable[GoodyOrder], *, read_at: datetime) -> dict[UUID, datetime]:
    """Upsert the orders and return the known creation times; log a database failure.

    A full disk therefore does not prevent reads; it only leaves the index older.
    """
    try:
        return index.upsert_orders(orders, read_at=read_at).created
    except DatabaseFailure as error:
        log.warning("the index could not be updated: %s", type(error).__name__)
        return {}


def store_answer(answer: GoodyOrder, *, sent_at: datetime, is_proof: bool) -> None:
    """Upsert the answer to a write that was sent at `sent_at`; log a database failure.

    A proof outranks every read so far, also one dated by another clock.
    """
    try:
        read_at = _after_every_read(answer.id) if is_proof else sent_at
    except DatabaseFailure as error:
        log.warning("the answer to a write could not be stored: %s", type(error).__name__)
        return
    upsert_or_log([answer], read_at=read_at)


def _after_every_read(order_id: UUID) -> datetime:
    now = timezone.now()
    values = [
        *database_values(Order, "uuid", [order_id], using=DEFAULT_DB_ALIAS),
        *database_values(Order, "read_at", [now], using=DEFAULT_DB_ALIAS),
    ]
    later = "orders_order WHERE uuid = %s AND read_at >= %s"
    if not select_tuples(["id"], later, values, using=DEFAULT_DB_ALIAS):
        return now
    return Order.objects.get(uuid=order_id).read_at + _TICK


def mark_missing(order_id: UUID, *, read_at: datetime) -> None:
    """Flag an order for which Goody answered 404; log a database failure."""
    try:
        index.mark_missing(order_id, read_at=read_at)
    except DatabaseFailure as error:
        log.warning("a 404 could not be recorded: %s", type(error).__name__)
