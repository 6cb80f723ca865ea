"""What Goody sends that its documentation does not name: counted, once a process."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseFailure

from goody.types import ORDER_STATUSES, Quarantined
from goody.types import Order as GoodyOrder
from orders.models import Anomaly

log = logging.getLogger(__name__)


def record_anomalies(
    orders: Iterable[GoodyOrder], quarantined: Iterable[Quarantined] = (), *, now: datetime
) -> None:
    """Count what in these orders is undocumented, and the rows that were no orders."""
    for order in orders:
        _note_odd_order(order, now=now)
    for row in quarantined:
        key = str(row.id) if row.id else row.reason
        _note(Anomaly.Kind.QUARANTINED, key, detail=row.reason, now=now)


def record_unreadable(order_id: UUID, *, reason: str, now: datetime) -> None:
    """Count that an order could not be read by itself: each time, since it is left alone for a
    while after the latest.
    """
    _count(Anomaly.Kind.QUARANTINED, str(order_id), detail=reason, now=now)


def _note_odd_order(order: GoodyOrder, *, now: datetime) -> None:
    if order.status not in ORDER_STATUSES:
        _note(Anomaly.Kind.UNKNOWN_STATUS, order.status, detail=str(order.id), now=now)
    for name in order.unknown_fields:
        _note(Anomaly.Kind.UNKNOWN_FIELD, name, detail=str(order.id), now=now)
    for name in order.problems:
        _note(Anomaly.Kind.BAD_FIELD, f"{order.id} {name}", detail=name, now=now)


# What this process has counted already: an oddity is a fact about Goody, not about page views.
_noted: set[tuple[str, str]] = set()
_MOST_NOTED = 10_000


def _note(kind: str, key: str, *, detail: str, now: datetime) -> None:
    if (kind, key) in _noted or len(_noted) >= _MOST_NOTED:
        return
    if _count(kind, key, detail=detail, now=now):
        _noted.add((kind, key))


def _count(kind: str, key: str, *, detail: str, now: datetime) -> bool:
    try:
        Anomaly.objects.note(kind, key.replace("\x00", "�"), detail=detail, now=now)
    except DatabaseFailure:
        log.warning("an oddity in Goody's answer could not be counted")
        return False
    return True
