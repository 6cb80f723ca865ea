"""Counting what the index holds, for those who compare it with what Goody says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from goody.types import CANCELABLE
from orders.models import EXACT, Anomaly, Order
from orders.models.order import OrderQuerySet

from .creation_keys import first_key, second_of_key

_SECOND = timedelta(seconds=1)
# What is read again in turn, and what was read too lately for that.
_FRESH = timedelta(minutes=5)
_PAST, _AHEAD = timedelta(days=1), timedelta(days=3)
_LATELY = timedelta(days=60)
# How long one is left alone that could not be read.
_ASIDE = timedelta(hours=1)
_ACCEPTED = ("accepted", "pending_payment", "paid", "ordered")


def count_known() -> int:
    """Orders that Goody knew when they were read last."""
    return Order.objects.filter(missing_at=None).count()


def count_unread(*, since: datetime) -> int:
    """Known orders that no answer since then has shown."""
    return Order.objects.filter(missing_at=None, read_at__lt=since).count()


def unread(*, since: datetime, limit: int) -> list[UUID]:
    """Ids of some of them."""
    orders = Order.objects.filter(missing_at=None, read_at__lt=since)
    return list(orders.values_list("uuid", flat=True)[:limit])


def count_unread_between(after: datetime, before: datetime, *, since: datetime) -> int:
    """The same of those that were certainly created between two instants (inclusive)."""
    exact = _within(after, before).filter(missing_at=None, created_from__in=EXACT)
    return exact.filter(read_at__lt=since).count()


def count_between(after: datetime | None, before: datetime) -> int:
    """Orders that were created between two instants (inclusive), as far as that is known."""
    return _within(after, before).filter(missing_at=None).count()


def has_estimates_between(after: datetime | None, before: datetime) -> bool:
    """Is there an order of that time of which it is not known exactly when it was created?"""
    return _within(after, before).exclude(created_from__in=EXACT).exists()


def newest_created_at(position: int) -> datetime | None:
    """About when the order at this position (from 0, the newest first) was created."""
    places = Order.objects.order_by("-pk").values_list("pk", flat=True)
    return next((second_of_key(key) for key in places[position : position + 1]), None)


def least_recently_read(*, now: datetime, limit: int) -> list[UUID]:
    """Ids of orders whose next change no feed tells, those first that were read longest ago.

    Open ones that expire soon or have just expired, and those that were accepted lately, whose
    thank-you notes come. Not those that could not be read a while ago: they would stay the first.
    """
    aside = _set_aside(now)
    stale = Order.objects.filter(missing_at=None, read_at__lt=now - _FRESH)
    near = stale.filter(
        status__in=CANCELABLE, expires_at__gte=now - _PAST, expires_at__lte=now + _AHEAD
    )
    accepted = stale.filter(status__in=_ACCEPTED, pk__gte=first_key(now - _LATELY))
    found = {
        order_id: read_at
        for some in (near, accepted)
        for order_id, read_at in _longest_unread(some, limit + len(aside))
        if str(order_id) not in aside
    }
    return sorted(found, key=found.__getitem__)[:limit]


def _longest_unread(orders: OrderQuerySet, limit: int) -> Iterable[tuple[UUID, datetime]]:
    return orders.order_by("read_at").values_list("uuid", "read_at")[:limit]


def _set_aside(now: datetime) -> set[str]:
    """Ids, or other keys, of what could not be read lately."""
    odd = Anomaly.objects.filter(kind=Anomaly.Kind.QUARANTINED)
    lately = odd.filter(last_seen_at__gt=now - _ASIDE, last_seen_at__lte=now)
    return set(lately.values_list("key", flat=True))


def _within(after: datetime | None, before: datetime) -> OrderQuerySet:
    orders = Order.objects.filter(pk__lt=first_key(before + _SECOND))
    return orders.filter(pk__gte=first_key(after)) if after else orders
