"""Related orders, and the neighbors of an order in the list it was opened from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from goody.types import Order, Sender
from orders import formats
from orders.forms.listing import MAX_NAME_LENGTH
from orders.list_url import Filters
from orders.search import Neighbors, RelatedGroup, RelatedGroups
from orders.services import ListedOrder
from orders.viewer import Viewer

from .filter_form import count_text
from .operations import with_next_url
from .order_sections import UNNAMED, sender_name
from .rows import gift_text
from .status import Badge, order_badges


@dataclass(frozen=True, slots=True)
class NeighborLinks:
    """The text "14 of 112" and the URLs of the previous and next order; "" if none or unknown."""

    position: str
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class RelatedOrder:
    name: str
    url: str
    badges: Sequence[Badge]
    gift: str
    created: str
    created_iso: str


@dataclass(frozen=True, slots=True)
class RelatedOrders:
    """The newest orders with the same batch, address or sender, and the URL of all of them."""

    title: str
    orders: Sequence[RelatedOrder]
    all_url: str
    all_label: str


def neighbor_links(neighbors: Neighbors, *, next_url: str) -> NeighborLinks:
    def to(order_id: UUID | None) -> str:
        return _order_url(order_id, next_url) if order_id else ""

    position, count = neighbors.position, neighbors.count
    return NeighborLinks(
        position=f"{position:,} of {count_text(count)}" if position else "",
        previous_url=to(neighbors.previous),
        next_url=to(neighbors.next),
    )


def related_orders(
    related: RelatedGroups, order: Order, *, listed: Mapping[UUID, ListedOrder], viewer: Viewer
) -> list[RelatedOrders]:
    """Return the groups that contain another order.

    `listed` are their orders with our writes.
    """
    groups = (
        ("Same batch", related.batch, Filters(batch=str(order.order_batch_id or ""))),
        ("Same e-mail address", related.email, Filters(q=order.recipient_email or "")),
        ("Same sender", related.sender, Filters(sender=_sender_key(order.sender))),
    )
    return [
        _group(title, group, filters, listed, viewer) for title, group, filters in groups if group
    ]


def _sender_key(sender: Sender | None) -> str:
    """Return the value of the parameter `sender`: the e-mail address, or the name."""
    return ((sender.email if sender else "") or sender_name(sender))[:MAX_NAME_LENGTH]


def _group(
    title: str,
    group: RelatedGroup,
    filters: Filters,
    listed: Mapping[UUID, ListedOrder],
    viewer: Viewer,
) -> RelatedOrders:
    # The list includes the order itself.
    count = group.count if group.count.is_capped else group.count._replace(n=group.count.n + 1)
    return RelatedOrders(
        title=title,
        orders=[_related_order(listed[hit.uuid], viewer) for hit in group.hits],
        all_url=filters.url(),
        all_label=f"All {count_text(count)}",
    )


def _related_order(listed: ListedOrder, viewer: Viewer) -> RelatedOrder:
    hit = listed.hit
    return RelatedOrder(
        name=hit.recipient_name or UNNAMED,
        url=_order_url(hit.uuid, viewer.next_url),
        badges=order_badges(hit, is_cancel_on_record=listed.is_cancel_on_record),
        gift=gift_text(hit),
        created=formats.day(hit.created_at, viewer.zone) if hit.created_at else "",
        created_iso=formats.iso_utc(hit.created_at) if hit.created_at else "",
    )


def _order_url(order_id: UUID, next_url: str) -> str:
    return with_next_url(reverse("order_detail", args=[order_id]), next_url)
