"""Counting what the index holds, for those who compare it with what Goody says."""

from __future__ import annotations

from datetime import datetime, timedelta

from orders.models import EXACT, Order
from orders.models.order import OrderQuerySet
from orders.search.places import first_place

_SECOND = timedelta(seconds=1)


def count_known() -> int:
    """Orders that Goody knew when they were read last."""
    return Order.objects.filter(missing_at=None).count()


def count_unread(*, since: datetime) -> int:
    """Known orders that no answer since then has shown."""
    return Order.objects.filter(missing_at=None, read_at__lt=since).count()


def count_unread_within(after: datetime, before: datetime, *, since: datetime) -> int:
    """The same of those that were certainly created between two instants (inclusive)."""
    exact = _within(after, before).filter(missing_at=None, created_from__in=EXACT)
    return exact.filter(read_at__lt=since).count()


def count_within(after: datetime | None, before: datetime) -> int:
    """Orders that were created between two instants (inclusive), as far as that is known."""
    return _within(after, before).filter(missing_at=None).count()


def _within(after: datetime | None, before: datetime) -> OrderQuerySet:
    orders = Order.objects.filter(pk__lt=first_place(before + _SECOND))
    return orders.filter(pk__gte=first_place(after)) if after else orders
