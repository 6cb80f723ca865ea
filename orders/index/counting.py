"""Queries over the stored orders for the sync."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from goody.types import CANCELABLE
from orders.models import EXACT_SOURCES, Anomaly, Order
from orders.models.order import OrderQuerySet

from .creation_keys import first_key, second_of_key

_SECOND = timedelta(seconds=1)
# Orders read within _FRESH are not read again. Open orders are read around their expiration, from
# _AHEAD before to _PAST after it, accepted ones for _LATELY after their creation.
_FRESH = timedelta(minutes=5)
_PAST, _AHEAD = timedelta(days=1), timedelta(days=3)
_LATELY = timedelta(days=60)
# How long an unreadable order is not read again.
_SKIPPED_FOR = timedelta(hours=1)
_ACCEPTED = ("accepted", "pending_payment", "paid", "ordered")


def count_known_orders() -> int:
    """Return the number of orders that Goody knew when they were last read."""
    return Order.objects.filter(missing_at=None).count()


def count_orders_not_read(*, since: datetime) -> int:
    """Return the number of known orders that were in no response since then."""
    return Order.objects.filter(missing_at=None, read_at__lt=since).count()


def order_ids_not_read_since(*, since: datetime, limit: int) -> list[UUID]:
    """Return the ids of up to `limit` known orders that were in no response since `since`."""
    orders = Order.objects.filter(missing_at=None, read_at__lt=since)
    return list(orders.values_list("uuid", flat=True)[:limit])


def count_orders_not_read_between(after: datetime, before: datetime, *, since: datetime) -> int:
    """Return how many known orders created between two instants were in no response since `since`.

    Both instants are inclusive. Orders with an estimated creation time are not counted.
    """
    exact = _within(after, before).filter(missing_at=None, created_from__in=EXACT_SOURCES)
    return exact.filter(read_at__lt=since).count()


def count_created_between(after: datetime | None, before: datetime) -> int:
    """Return the number of known orders created between two instants (inclusive).

    Estimated creation times count as well.
    """
    return _within(after, before).filter(missing_at=None).count()


def has_estimates_between(after: datetime | None, before: datetime) -> bool:
    """Whether an order in that window has an estimated creation time."""
    return _within(after, before).exclude(created_from__in=EXACT_SOURCES).exists()


def newest_created_at(position: int) -> datetime | None:
    """Return the approximate creation time of the order at this position (from 0, newest first)."""
    keys = Order.objects.order_by("-pk").values_list("pk", flat=True)
    return next((second_of_key(key) for key in keys[position : position + 1]), None)


def orders_to_reread(*, now: datetime, limit: int) -> list[UUID]:
    """Return ids of orders whose next change the feed does not report, least recently read first.

    These are open orders around their expiration, and accepted ones that may get a thank-you note.
    Orders that were recently unreadable are skipped, because they would remain the first.
    """
    skipped = _unreadable(now)
    stale = Order.objects.filter(missing_at=None, read_at__lt=now - _FRESH)
    near = stale.filter(
        status__in=CANCELABLE, expires_at__gte=now - _PAST, expires_at__lte=now + _AHEAD
    )
    accepted = stale.filter(status__in=_ACCEPTED, pk__gte=first_key(now - _LATELY))
    found = {
        order_id: read_at
        for some in (near, accepted)
        for order_id, read_at in _longest_unread(some, limit + len(skipped))
        if str(order_id) not in skipped
    }
    return sorted(found, key=found.__getitem__)[:limit]


def _longest_unread(orders: OrderQuerySet, limit: int) -> Iterable[tuple[UUID, datetime]]:
    return orders.order_by("read_at").values_list("uuid", "read_at")[:limit]


def _unreadable(now: datetime) -> set[str]:
    """Return the ids, or other keys, of orders that were unreadable recently."""
    unreadable = Anomaly.objects.filter(kind=Anomaly.Kind.QUARANTINED)
    recent = unreadable.filter(last_seen_at__gt=now - _SKIPPED_FOR, last_seen_at__lte=now)
    return set(recent.values_list("key", flat=True))


def _within(after: datetime | None, before: datetime) -> OrderQuerySet:
    orders = Order.objects.filter(pk__lt=first_key(before + _SECOND))
    return orders.filter(pk__gte=first_key(after)) if after else orders
