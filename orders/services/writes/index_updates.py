"""Stores orders that were read in the index. Database failures are logged and not raised."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseFailure

from goody.types import Order as GoodyOrder
from orders import index

log = logging.getLogger(__name__)


def upsert_or_log(orders: Iterable[GoodyOrder], *, read_at: datetime) -> dict[UUID, datetime]:
    """Upsert the orders and return the known creation times; log a database failure.

    A full disk therefore does not prevent reads; it only leaves the index older.
    """
    try:
        return index.upsert_orders(orders, read_at=read_at).created
    except DatabaseFailure as error:
        log.warning("the index could not be updated: %s", type(error).__name__)
        return {}


def mark_missing(order_id: UUID, *, read_at: datetime) -> None:
    """Flag an order for which Goody answered 404; log a database failure."""
    try:
        index.mark_missing(order_id, read_at=read_at)
    except DatabaseFailure as error:
        log.warning("a 404 could not be recorded: %s", type(error).__name__)
