"""One row of the list of orders: every cell made once, so that the template only places them.

The rules (what may be done, what an expiry means, what a write came to) are asked of
orders.eligibility and orders.outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.templatetags.static import static
from django.urls import reverse

from goody.types import Order, Sender
from orders import eligibility
from orders.audit import Actor, Right
from orders.eligibility import ExpiryKind, Verdict
from orders.models import Operation
from orders.outcomes import tell
from orders.services import ListedOrder
from orders.viewer import Viewer

from . import formats
from .formats import NOTHING
from .marks import Badge, status_badge

UNNAMED = "Unnamed recipient"


@dataclass(frozen=True, slots=True)
class Expires:
    """The cell of the expiry: `text`, `under` beneath it, `tone` a class, `iso` for machines."""

    text: str
    under: str = ""
    tone: str = ""
    iso: str = ""


@dataclass(frozen=True, slots=True)
class Busy:
    """An open write: what stands in place of the links until it is settled."""

    text: str
    url: str
    poll_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`cancel_url` and `extend_url` are "" where it may not be begun; `why` then says why."""

    id: str
    status: str
    url: str
    recipient: str
    email: str
    gift: str
    more: str
    badge: Badge
    expires: Expires
    amount: str
    amount_under: str
    sender: str
    batch: str
    created: str
    created_iso: str
    cancel_url: str
    extend_url: str
    why: str
    busy: Busy | None
    icons: str


def row_context(listed: ListedOrder, *, viewer: Viewer, next_url: str) -> dict[str, Any]:
    """The context of the partial "orders/list.html#row"; `next_url` is the list to return to."""
    return {
        "row": make_row(
            listed, actor=viewer.actor, zone=viewer.zone, now=viewer.now, next_url=next_url
        )
    }


def make_row(
    listed: ListedOrder, *, actor: Actor, zone: ZoneInfo, now: datetime, next_url: str
) -> Row:
    order = listed.order
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    path = reverse("order_detail", args=[order.id])
    cancel, extend = _verdicts(order, now=now)
    amount, amount_under = _amount(order)
    gift, more = _gift(order)
    return Row(
        id=str(order.id),
        status=order.status,
        url=f"{path}{query}",
        recipient=eligibility.recipient_name(order) or UNNAMED,
        email=order.recipient_email or "",
        gift=gift,
        more=more,
        badge=status_badge(order.status, is_cancel_on_record=listed.is_cancel_on_record),
        expires=_expires(order, zone=zone, now=now),
        amount=amount,
        amount_under=amount_under,
        sender=_name(order.sender),
        batch=formats.short_id(order.order_batch_id) if order.order_batch_id else "",
        created=formats.day(listed.created_at, zone) if listed.created_at else "",
        created_iso=formats.iso(listed.created_at) if listed.created_at else "",
        cancel_url=f"{path}cancel/{query}" if _may(actor, Right.CANCEL, cancel) else "",
        extend_url=f"{path}expiration/{query}" if _may(actor, Right.EXTEND, extend) else "",
        why=_why_not(actor, cancel, extend),
        busy=_busy(listed.operation, path, query, zone=zone, now=now),
        icons=static("icons.svg"),
    )


def _verdicts(order: Order, *, now: datetime) -> tuple[Verdict, Verdict]:
    return eligibility.may_cancel(order, now=now), eligibility.may_extend(order, now=now)


def _may(actor: Actor, right: Right, verdict: Verdict) -> bool:
    return verdict.is_allowed and actor.may(right)


def _why_not(actor: Actor, cancel: Verdict, extend: Verdict) -> str:
    """The sentence beside, or in place of, the links; "" when both are offered."""
    refusals = [verdict.sentence for verdict in (cancel, extend) if not verdict.is_allowed]
    if len(refusals) == 2 and refusals[1] == refusals[0].replace("canceled", "extended", 1):
        return refusals[0].replace("canceled", "canceled or extended", 1)
    if not refusals and not (actor.may(Right.CANCEL) or actor.may(Right.EXTEND)):
        return "An agent can cancel or extend it."
    return " ".join(refusals)


def _expires(order: Order, *, zone: ZoneInfo, now: datetime) -> Expires:
    expiry = eligibility.expiry(order, now)
    if expiry.kind is ExpiryKind.NONE:
        return Expires("No expiry", tone="muted")
    if expiry.kind is ExpiryKind.IRRELEVANT or expiry.at is None:
        return Expires(NOTHING, tone="muted")
    at, iso = formats.date_time(expiry.at, zone), formats.iso(expiry.at)
    if expiry.kind is ExpiryKind.PAST:
        return Expires("Expired", at, "is-past", iso)
    tone = "is-soon" if expiry.kind is ExpiryKind.SOON else ""
    return Expires(formats.relative(expiry.at, now), at, tone, iso)


def _amount(order: Order) -> tuple[str, str]:
    """What the gift costs as far as Goody says it, and whether that is before tax."""
    cents, is_before_tax = eligibility.released_cents(order)
    if cents is None:
        return NOTHING, ""
    return formats.money(cents), "before tax" if is_before_tax else ""


def _gift(order: Order) -> tuple[str, str]:
    """The first item, and how many more there are."""
    items = order.cart.items if order.cart else ()
    if not items:
        return NOTHING, ""
    first = items[0]
    name = (first.product.name if first.product else None) or "Unnamed product"
    if first.quantity is not None and first.quantity > 1:
        name = f"{first.quantity} × {name}"
    return name, f"+{len(items) - 1}" if len(items) > 1 else ""


def _name(sender: Sender | None) -> str:
    if sender is None:
        return NOTHING
    return " ".join(filter(None, (sender.first_name, sender.last_name))) or sender.email or NOTHING


def _busy(
    operation: Operation | None, path: str, query: str, *, zone: ZoneInfo, now: datetime
) -> Busy | None:
    if operation is None:
        return None
    title = tell(operation, now=now, zone=zone).title
    asked_at = formats.minute(operation.created_at, zone)
    return Busy(
        text=f"{title} {operation.actor_name}, {asked_at}",
        url=f"{path}operations/{operation.id}/{query}",
        poll_url=f"{path}{query}{'&' if query else '?'}poll=1",
    )
