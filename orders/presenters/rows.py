"""One row of the list of orders: every cell made once, so that the template only places them.

The rules (what may be done, what an expiry means, what a write came to) are asked of
orders.eligibility and orders.outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any, Self, TypedDict, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString

from goody.types import Order, Sender
from orders import eligibility, formats
from orders.audit import Actor, Right
from orders.eligibility import ExpiryKind, Verdict
from orders.formats import NOTHING
from orders.models import Operation
from orders.outcomes import tell
from orders.services import ListedOrder
from orders.viewer import Viewer

from .marks import EXPIRY_TONES, status_badge
from .operations import asked_at, poll_every, poll_token
from .parts import recipient, sender_name


class Row(TypedDict):
    """What the template places. A dict and flat, since templates look up keys first, and a list
    looks up thousands of them. Texts are "" where there is nothing.
    """

    id: str
    status: str
    url: str
    recipient: str
    email: str
    gift: str
    more: str
    tone: str
    icon: str
    word: str
    expires: str
    expires_tone: str
    expires_under: str
    expires_iso: str
    amount: str
    amount_under: str
    sender: str
    batch: str
    created: str
    created_iso: str
    # "" where it may not be begun; `why` then says why.
    cancel_url: str
    extend_url: str
    why: str
    # An open write stands in place of the links until it is settled.
    busy: str
    busy_url: str
    poll_url: str
    poll_every: str
    # A write that has just ended without effect, and why.
    failure: str
    failure_why: str
    failure_url: str


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all rows of a page. `query` leads back to the list."""

    actor: Actor
    zone: ZoneInfo
    now: datetime
    query: str
    orders_url: str
    icons_url: str

    @classmethod
    def of(cls, viewer: Viewer, *, next_url: str) -> Self:
        return cls(
            actor=viewer.actor,
            zone=viewer.zone,
            now=viewer.now,
            query=f"?{urlencode({'next': next_url})}" if next_url else "",
            orders_url=reverse("order_list"),
            icons_url=static("icons.svg"),
        )


def row_context(
    listed: ListedOrder, *, viewer: Viewer, next_url: str, failed: Operation | None = None
) -> dict[str, Any]:
    """The context of the partial "orders/list.html#row"; `next_url` is the list to return to,
    `failed` a write that has just ended without effect.
    """
    setting = Setting.of(viewer, next_url=next_url)
    return {"row": make_row(listed, setting=setting, failed=failed)}


def make_row(listed: ListedOrder, *, setting: Setting, failed: Operation | None = None) -> Row:
    """Each cell escaped, which here takes a fraction of what a template takes for it."""
    cells = _cells(listed, setting, failed).items()
    return cast(Row, {name: _escaped(text) if text else "" for name, text in cells})


@lru_cache(maxsize=8192)
def _escaped(text: str) -> SafeString:
    """Most cells stand in many rows: tones, words, dates, senders."""
    return SafeString(escape(str(text)))


def _cells(listed: ListedOrder, setting: Setting, failed: Operation | None) -> Row:
    order, zone = listed.order, setting.zone
    order_id = str(order.id)
    path = f"{setting.orders_url}{order_id}/"
    badge = status_badge(order.status, is_cancel_on_record=listed.is_cancel_on_record)
    gift, more = _gift(order)
    amount, amount_under = _amount(order)
    return Row(
        id=order_id,
        status=order.status,
        url=f"{path}{setting.query}",
        recipient=recipient(order),
        email=order.recipient_email or "",
        gift=gift,
        more=more,
        tone=badge.tone,
        icon=f"{setting.icons_url}#{badge.icon}",
        word=badge.word,
        amount=amount,
        amount_under=amount_under,
        sender=sender_name(order.sender) or _email(order.sender) or NOTHING,
        batch=formats.short_id(order.order_batch_id) if order.order_batch_id else "",
        created=formats.day(listed.created_at, zone) if listed.created_at else "",
        created_iso=formats.iso(listed.created_at) if listed.created_at else "",
        **_expires(order, zone=zone, now=setting.now),
        **_deeds(order, path, setting),
        **_busy(listed.operation, path, setting),
        **_failure(failed, path, setting),
    )


def _deeds(order: Order, path: str, setting: Setting) -> dict[str, str]:
    actor, query = setting.actor, setting.query
    cancel, extend = _verdicts(order, now=setting.now)
    return {
        "cancel_url": f"{path}cancel/{query}" if _may(actor, Right.CANCEL, cancel) else "",
        "extend_url": f"{path}expiration/{query}" if _may(actor, Right.EXTEND, extend) else "",
        "why": _why_not(actor, cancel, extend),
    }


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


def _expires(order: Order, *, zone: ZoneInfo, now: datetime) -> dict[str, str]:
    expiry = eligibility.expiry(order, now)
    if expiry.at is None or expiry.kind is ExpiryKind.IRRELEVANT:
        text = "No expiry" if expiry.kind is ExpiryKind.NONE else NOTHING
        return _expires_cell(text, "muted")
    is_past = expiry.kind is ExpiryKind.PAST
    return _expires_cell(
        "Expired" if is_past else formats.relative(expiry.at, now),
        EXPIRY_TONES[expiry.kind],
        under=formats.date_time(expiry.at, zone),
        iso=formats.iso(expiry.at),
    )


def _expires_cell(text: str, tone: str, *, under: str = "", iso: str = "") -> dict[str, str]:
    return {
        "expires": text,
        "expires_tone": tone,
        "expires_under": under,
        "expires_iso": iso,
    }


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


def _email(sender: Sender | None) -> str:
    return (sender.email or "") if sender else ""


def _failure(operation: Operation | None, path: str, setting: Setting) -> dict[str, str]:
    if operation is None:
        return {"failure": "", "failure_why": "", "failure_url": ""}
    told = tell(operation, now=setting.now, zone=setting.zone)
    return {
        "failure": told.title,
        "failure_why": f"{told.sentence} {told.next_step}".strip(),
        "failure_url": f"{path}operations/{operation.id}/{setting.query}",
    }


def _busy(operation: Operation | None, path: str, setting: Setting) -> dict[str, str]:
    if operation is None:
        return {"busy": "", "busy_url": "", "poll_url": "", "poll_every": ""}
    query = setting.query
    token = poll_token(operation, setting.now)
    title = tell(operation, now=setting.now, zone=setting.zone).title
    return {
        "busy": f"{title} · {operation.actor_name}, {asked_at(operation, setting.zone)}",
        "busy_url": f"{path}operations/{operation.id}/{query}",
        "poll_url": f"{path}{query}{'&' if query else '?'}poll={token}",
        "poll_every": poll_every(operation, setting.now),
    }
