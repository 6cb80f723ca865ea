"""What stands beside an order: its place in the list it was opened from, and orders like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from goody.types import Order, Sender
from orders import formats
from orders.forms.filters import Filters
from orders.forms.listing import LONGEST_NAME
from orders.search import Count, Group, Hit, Neighbors, Related

from .detail import Reader
from .marks import Badge, status_badge
from .operations import with_next
from .parts import UNNAMED, sender_name


@dataclass(frozen=True, slots=True)
class Walk:
    """ "14 of 112", and the orders before and after; "" where there is none or it is not known."""

    place: str
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class Like:
    """An order that has something in common with the one shown."""

    name: str
    url: str
    badge: Badge
    gift: str
    created: str
    created_iso: str


@dataclass(frozen=True, slots=True)
class RelatedOrders:
    """The newest of those with the same batch, address or sender, and the list of all."""

    title: str
    orders: Sequence[Like]
    all_url: str
    all_label: str


def make_walk(neighbors: Neighbors, *, reader: Reader) -> Walk:
    def to(order_id: UUID | None) -> str:
        return _order_url(order_id, reader) if order_id else ""

    place, count = neighbors.place, neighbors.count
    return Walk(
        place=f"{place:,} of {_number(count)}" if place else "",
        previous_url=to(neighbors.previous),
        next_url=to(neighbors.next),
    )


def make_likes(related: Related, order: Order, *, reader: Reader) -> list[RelatedOrders]:
    """Only the groups in which there is an order beside this one."""
    groups = (
        ("Same batch", related.batch, Filters(batch=str(order.order_batch_id or ""))),
        ("Same e-mail address", related.email, Filters(q=order.recipient_email or "")),
        ("Same sender", related.sender, Filters(sender=_called(order.sender))),
    )
    return [_likes(title, group, filters, reader) for title, group, filters in groups if group]


def _called(sender: Sender | None) -> str:
    """In an address of a page: by the e-mail address, else by the name."""
    return ((sender.email if sender else "") or sender_name(sender))[:LONGEST_NAME]


def _likes(title: str, group: Group, filters: Filters, reader: Reader) -> RelatedOrders:
    # The list shows this order as well.
    count = group.count if group.count.is_capped else group.count._replace(n=group.count.n + 1)
    return RelatedOrders(
        title=title,
        orders=[_like(hit, reader) for hit in group.hits],
        all_url=filters.url(),
        all_label=f"All {_number(count)}",
    )


def _like(hit: Hit, reader: Reader) -> Like:
    return Like(
        name=hit.recipient_name or UNNAMED,
        url=_order_url(hit.uuid, reader),
        badge=status_badge(hit.status, is_cancel_on_record=False),
        gift=hit.product,
        created=formats.day(hit.created_at, reader.zone) if hit.created_at else "",
        created_iso=formats.iso(hit.created_at) if hit.created_at else "",
    )


def _number(count: Count) -> str:
    return f"{count.n:,}{'+' if count.is_capped else ''}"


def _order_url(order_id: UUID, reader: Reader) -> str:
    return with_next(reverse("order_detail", args=[order_id]), reader.next_url)
