"""Changes the creation times, and so the creation keys, of stored orders by a second connection."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from orders import index
from orders.index import CreationTime, OrderOfResponse
from orders.models import CreationTimeSource, Order


def set_creation_times(order_ids: Iterable[UUID], *, to: datetime) -> None:
    """Set exact creation times of the orders, in their sequence, from `to` on, a second apart."""
    thread = threading.Thread(target=_move, args=(list(order_ids), to))
    thread.start()
    thread.join()


def _move(order_ids: list[UUID], to: datetime) -> None:
    copies = {
        row.uuid: row.to_goody_order().raw for row in Order.objects.filter(uuid__in=order_ids)
    }
    rows = [
        OrderOfResponse(
            copies[order_id], CreationTime(to + timedelta(seconds=n), CreationTimeSource.DETAIL)
        )
        for n, order_id in enumerate(order_ids)
    ]
    try:
        index.upsert_rows(rows, read_at=to)
    finally:
        connection.close()
