"""The list that an order was opened from, its neighbors there, and the orders related to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from goody.types import Order
from orders import formats
from orders.list_url import Filters
from orders.search import MatchCount, Neighbors, RelatedGroup, RelatedGroups
from orders.services import ListedOrder
from orders.viewer import Viewer

from .elements import Link
from .filter_form import count_text
from .operations import with_next_url
from .order_sections import UNNAMED, displayed_recipient, sender_key
from .raw_values import RawValues
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
    """A related order. `title` and `more` are its recipient and gift; only its gift and "" where
    the recipient is known already.
    """

    title: str
    more: str
    url: str
    badges: Sequence[Badge]
    created: str
    created_iso: str


@dataclass(frozen=True, slots=True)
class RelatedOrders:
    """The newest orders with the same batch, address or sender, and the link to all of them.

    `query` are the parameters of the list of all.
    """

    title: str
    orders: Sequence[RelatedOrder]
    all: Link
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientHistory:
    """The other orders that the recipient's address got and sent.

    `counts` are links; a count that is 0 has no URL. `views` is "" if Goody gives no number.
    """

    email: str
    counts: Sequence[Link]
    views: str
    orders: Sequence[RelatedOrder]


def neighbor_links(neighbors: Neighbors, *, next_url: str) -> NeighborLinks:
    def order_link(order_id: UUID | None) -> str:
        return _order_url(order_id, next_url) if order_id else ""

    position, count = neighbors.position, neighbors.count
    return NeighborLinks(
        position=f"{position:,} of {count_text(count)}" if position else "",
        previous_url=order_link(neighbors.previous),
        next_url=order_link(neighbors.next),
    )


_MOST_FILTERS = 2


def list_name(filters: Filters, filter_texts: Sequence[str], *, view_name: str) -> str:
    """Return the name of a list: that of its view, or its filters in words.

    `view_name` is the name of a saved view or a preset; "" for a list that is neither.
    """
    if view_name:
        return view_name
    if filters.finding is not None:
        return "Found orders"
    if filters.selection is not None:
        return "Selected orders"
    named = ", ".join(filter_texts[:_MOST_FILTERS])
    return f"{named}, …" if len(filter_texts) > _MOST_FILTERS else named or "All orders"


# Of an address, a batch or a sender.
_MOST_ORDERS = 2

type Listed = Mapping[UUID, ListedOrder]


def make_recipient_history(
    related: RelatedGroups | None, order: Order, raw: RawValues, *, listed: Listed, viewer: Viewer
) -> RecipientHistory:
    """Return the history; without counts if `related` is None, since they are not known then.

    `listed` are the related orders with our writes.
    """
    email = order.recipient_email or ""
    same = related.email if related else None
    return RecipientHistory(
        email=email,
        counts=list(_counts(related, email)) if related and email else [],
        views=_views_text(order, raw),
        orders=_orders(same, listed, viewer, known=displayed_recipient(order)) if same else [],
    )


def _counts(related: RelatedGroups, email: str) -> Sequence[Link]:
    total = _with_itself(related.email) if related.email else MatchCount(1, is_capped=False)
    sent = related.sent or MatchCount(0, is_capped=False)
    gifts = "gift to them" if total.n == 1 else "gifts to them"
    return [
        Link(f"{count_text(total)} {gifts}", Filters(q=email).url() if total.n > 1 else ""),
        Link(f"{count_text(sent)} sent", Filters(sender=email).url() if sent.n else ""),
    ]


def _views_text(order: Order, raw: RawValues) -> str:
    if unreadable := raw.unreadable("view_count_recipient"):
        return f"views of this one: {unreadable}"
    views = order.view_count_recipient
    if views is None:
        return ""
    if not views:
        return "has not viewed this one"
    return f"viewed this one {'once' if views == 1 else f'{views:,} times'}"


def related_orders(
    related: RelatedGroups, order: Order, *, listed: Listed, viewer: Viewer
) -> list[RelatedOrders]:
    """Return the other orders of the batch and of the sender, without groups of the order alone."""
    groups = (
        ("Same batch", related.batch, Filters(batch=str(order.order_batch_id or ""))),
        ("Same sender", related.sender, Filters(sender=sender_key(order.sender))),
    )
    return [
        RelatedOrders(
            title=title,
            orders=_orders(group, listed, viewer),
            all=Link(f"All {count_text(_with_itself(group))}", filters.url()),
            query=filters.query_string,
        )
        for title, group, filters in groups
        if group
    ]


def _with_itself(group: RelatedGroup) -> MatchCount:
    """Return the count of the list, which includes the order itself."""
    return group.count if group.count.is_capped else group.count._replace(n=group.count.n + 1)


def _orders(
    group: RelatedGroup, listed: Listed, viewer: Viewer, *, known: str = ""
) -> list[RelatedOrder]:
    """Return the orders of the group. `known` is a recipient whose name is not repeated."""
    return [_related_order(listed[hit.uuid], known, viewer) for hit in group.hits[:_MOST_ORDERS]]


def _related_order(listed: ListedOrder, known: str, viewer: Viewer) -> RelatedOrder:
    hit = listed.hit
    created = hit.created_at
    name, gift = hit.recipient_name or UNNAMED, gift_text(hit)
    is_known = bool(gift) and name == known
    return RelatedOrder(
        title=gift if is_known else name,
        more="" if is_known else gift,
        url=_order_url(hit.uuid, viewer.next_url),
        badges=order_badges(hit, is_cancel_on_record=listed.is_cancel_on_record, job=listed.job),
        created=formats.compact_day(created, viewer.now, viewer.zone) if created else "",
        created_iso=formats.iso_utc(created) if created else "",
    )


def _order_url(order_id: UUID, next_url: str) -> str:
    return with_next_url(reverse("order_detail", args=[order_id]), next_url)
