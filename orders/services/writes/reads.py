"""GET one order and apply the answer: to the index, the anomalies and the operations on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.client import RetryPolicy
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.models import Operation
from orders.services.anomalies import record_anomalies

from .index_updates import upsert_or_log
from .reconcile import reconcile_operations, request_reads
from .resolve import operations_on

log = logging.getLogger(__name__)


def read_order(
    order_id: UUID,
    *,
    policy: RetryPolicy,
    before_send: Callable[[], None] | None = None,
    is_stored: bool = True,
) -> tuple[GoodyOrder, tuple[Operation, ...]]:
    """Read the order from Goody and apply the answer; return it and its operations, newest first.

    With `is_stored=False` the index is not updated, because the caller stores this read or a newer
    one. `before_send` and errors are those of Client.get_order.
    """
    sent_before = Operation.objects.history_of([order_id])
    read_at = timezone.now()
    order = goody_api.call_goody(
        lambda client, left: client.get_order(order_id, policy=left, before_send=before_send),
        policy=policy,
    )
    if is_stored:
        store_read(order, read_at=read_at)
    try:
        reconcile_operations(order, sent_before)
        return order, operations_on(order_id, now=timezone.now())
    except DatabaseFailure:
        log.warning("what a read says about operations could not be stored")
        return order, Operation.objects.history_of([order_id])


def apply_read(order: GoodyOrder, *, read_at: datetime) -> None:
    """Store an order that was read elsewhere, by a request that started at `read_at`."""
    store_read(order, read_at=read_at)
    request_reads([order])


def store_read(order: GoodyOrder, *, read_at: datetime) -> None:
    """Upsert an order and record its undocumented content; log a database failure."""
    upsert_or_log([order], read_at=read_at)
    record_anomalies([order], now=read_at)
