"""Counts undocumented content of Goody's responses, once per process for each kind and key."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseFailure

from goody.types import ORDER_STATUSES, QuarantinedOrder
from goody.types import Order as GoodyOrder
from orders.models import Anomaly

log = logging.getLogger(__name__)


def record_anomalies(
    orders: Iterable[GoodyOrder], quarantined: Iterable[QuarantinedOrder] = (), *, now: datetime
) -> None:
    """Count undocumented fields and statuses of the orders, and rows that could not be read."""
    for order in orders:
        _record_order(order, now=now)
    for row in quarantined:
        key = str(row.id) if row.id else row.reason
        _record(Anomaly.Kind.QUARANTINED, key, detail=row.reason, now=now)


def record_unreadable(order_id: UUID, *, reason: str, now: datetime) -> None:
    """Count one failed read of an order as an anomaly.

    Unlike other anomalies it is counted each time, because the sync waits after the last failure.
    """
    _count(Anomaly.Kind.QUARANTINED, str(order_id), detail=reason, now=now)


def _record_order(order: GoodyOrder, *, now: datetime) -> None:
    if order.status not in ORDER_STATUSES:
        _record(Anomaly.Kind.UNKNOWN_STATUS, order.status, detail=str(order.id), now=now)
    for name in order.unknown_fields:
        _record(Anomaly.Kind.UNKNOWN_FIELD, name, detail=str(order.id), now=now)
    for name in order.problems:
        _record(Anomaly.Kind.BAD_FIELD, f"{order.id} {name}", detail=name, now=now)


# Counted by this process already: an anomaly is a fact about Goody, not about page views.
_recorded: set[tuple[str, str]] = set()
_MOST_RECORDED = 10_000


def _record(kind: str, key: str, *, detail: str, now: datetime) -> None:
    if (kind, key) in _recorded or len(_recorded) >= _MOST_RECORDED:
        return
    if _count(kind, key, detail=detail, now=now):
        _recorded.add((kind, key))


def _count(kind: str, key: str, *, detail: str, now: datetime) -> bool:
    try:
        Anomaly.objects.record_occurrence(kind, key.replace("\x00", "�"), detail=detail, now=now)
    except DatabaseFailure:
        log.warning("an anomaly in Goody's answer could not be counted")
        return False
    return True
