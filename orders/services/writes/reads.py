"""GET one order and apply the answer: to the index, the anomalies and the operations on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.client import RetryPolicy
from goody.types import Order as GoodyOrder
from orders import goody_api, index
from orders.models import Operation
from orders.services.anomalies import record_anomalies

from .resolve import operations_on, reconcile, request_reads

log = logging.getLogger(__name__)


def read_order(
    order_id: UUID, *, policy: RetryPolicy, before_send: Callable[[], None] | None = None
) -> GoodyOrder:
    """GET the order and apply the answer. `before_send` and errors are as in Client.get_order."""
    return read_with_operations(order_id, policy=policy, before_send=before_send)[0]


def read_with_operations(
    order_id: UUID, *, policy: RetryPolicy, before_send: Callable[[], None] | None = None
) -> tuple[GoodyOrder, tuple[Operation, ...]]:
    """As `read_order`, with all operations on the order as they stand afterwards, newest first."""
    sent_before = Operation.objects.history([order_id])
    read_at = timezone.now()
    order = goody_api.ask(
        lambda client, left: client.get_order(order_id, policy=left, before_send=before_send),
        policy=policy,
    )
    _store(order, read_at=read_at)
    try:
        reconcile(order, sent_before)
        return order, operations_on(order_id, now=timezone.now())
    except DatabaseFailure:
        log.warning("what a read says about operations could not be stored")
        return order, Operation.objects.history([order_id])


def apply_read(order: GoodyOrder, *, read_at: datetime) -> None:
    """Store an order that was read elsewhere, by a request that started at `read_at`."""
    _store(order, read_at=read_at)
    request_reads([order])


def _store(order: GoodyOrder, *, read_at: datetime) -> None:
    upsert_or_log([order], read_at=read_at)
    record_anomalies([order], now=read_at)


def upsert_or_log(orders: Iterable[GoodyOrder], *, read_at: datetime) -> dict[UUID, datetime]:
    """Upsert into the index and return the known creation times; log a database failure.

    Reading goes on when the disk is full; the index is only older than it could be.
    """
    try:
        return index.upsert(orders, read_at=read_at).created
    except DatabaseFailure as error:
        log.warning("the index could not be updated: %s", type(error).__name__)
        return {}


def mark_missing(order_id: UUID, *, read_at: datetime) -> None:
    """Flag an order for which Goody answered 404; log a database failure."""
    try:
        index.mark_missing(order_id, read_at=read_at)
    except DatabaseFailure as error:
        log.warning("a 404 could not be recorded: %s", type(error).__name__)
