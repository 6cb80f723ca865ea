"""One row of a list of orders: every text made once, so that the template only places them.

The rules (what may be done, what an expiry means, what a write came to) are asked of
orders.eligibility and orders.outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from goody.types import Order
from orders import eligibility, formats
from orders.audit import Right
from orders.eligibility import ExpiryKind, Verdict
from orders.formats import NOTHING
from orders.models import Operation
from orders.outcomes import tell
from orders.services import FoundOrder, ListedOrder
from orders.viewer import Viewer

from .marks import EXPIRY_TONES, status_badge
from .operations import asked_at, poll_every, poll_token
from .parts import UNNAMED, sender_name


class Cells(NamedTuple):
    """What a row is made of, be it Goody's answer or our index that knows it.

    `problems` are as Order.problems. Texts are "" where there is nothing.
    """

    id: UUID
    status: str
    recipient: str
    email: str
    # The first item ("2 × Tea box"), and how many more there are.
    gift: str
    more_items: int
    # US cents as far as Goody says, and whether that is before tax.
    cents: int | None
    is_before_tax: bool
    sender: str
    batch_id: UUID | None
    created_at: datetime | None
    expires_at: datetime | None
    problems: tuple[str, ...]
    is_cancel_on_record: bool
    operation: Operation | None
    # Goody answered 404 when it was asked for last.
    is_missing: bool = False
    # What was searched for and where it stands, if that is no cell of the row.
    matched: str = ""

    @classmethod
    def of(cls, listed: ListedOrder) -> Self:
        order = listed.order
        gift, more_items = gift_of(order)
        cents, is_before_tax = eligibility.released_cents(order)
        return cls(
            id=order.id,
            status=order.status,
            recipient=eligibility.recipient_name(order),
            email=order.recipient_email or "",
            gift=gift,
            more_items=more_items,
            cents=cents,
            is_before_tax=is_before_tax,
            sender=sender_of(order),
            batch_id=order.order_batch_id,
            created_at=listed.created_at,
            expires_at=order.expires_at,
            problems=order.problems,
            is_cancel_on_record=listed.is_cancel_on_record,
            operation=listed.operation,
            is_missing=listed.is_missing,
        )

    @classmethod
    def found(cls, one: FoundOrder, *, matched: str = "") -> Self:
        hit = one.hit
        return cls(
            id=hit.uuid,
            status=hit.status,
            recipient=hit.recipient_name,
            email=hit.recipient_email,
            gift=_titled(hit.product, hit.quantity) if hit.item_count else "",
            more_items=max(0, hit.item_count - 1),
            cents=hit.amount_cents,
            is_before_tax=hit.is_before_tax,
            sender=hit.sender.partition(" <")[0],
            batch_id=hit.order_batch_id,
            created_at=hit.created_at,
            expires_at=hit.expires_at,
            problems=("expires_at",) if hit.is_expiry_odd else (),
            is_cancel_on_record=one.is_cancel_on_record,
            operation=one.operation,
            is_missing=hit.missing_at is not None,
            matched=matched,
        )


def gift_of(order: Order) -> tuple[str, int]:
    """The first item, and how many more there are."""
    items = order.cart.items if order.cart else ()
    if not items:
        return "", 0
    first = items[0]
    return _titled(first.product.name if first.product else None, first.quantity), len(items) - 1


def _titled(product: str | None, quantity: int | None) -> str:
    name = product or "Unnamed product"
    return f"{quantity} × {name}" if quantity is not None and quantity > 1 else name


def sender_of(order: Order) -> str:
    """The sender's name, or else the address."""
    sender = order.sender
    return sender_name(sender) or (sender.email if sender else None) or ""


class Row(NamedTuple):
    """The texts that the template places: "" where there is nothing."""

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
    amount: str
    amount_under: str
    sender: str
    batch: str
    created: str
    created_iso: str
    expires: str
    expires_tone: str
    # "" where it may not be begun; `why` then says why.
    cancel_url: str
    extend_url: str
    why: str
    # Where there is a date that still matters.
    expires_under: str = ""
    expires_iso: str = ""
    # An open write stands in place of the links until it is settled.
    busy: str = ""
    busy_url: str = ""
    poll_url: str = ""
    poll_every: str = ""
    # A write that has just ended without effect, and why.
    failure: str = ""
    failure_why: str = ""
    failure_url: str = ""
    missing: str = ""
    matched: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all rows of a page. `query` leads back to the list."""

    zone: ZoneInfo
    now: datetime
    query: str
    orders_url: str
    may_cancel: bool
    may_extend: bool

    @classmethod
    def of(cls, viewer: Viewer, *, next_url: str) -> Self:
        return cls(
            may_cancel=viewer.actor.may(Right.CANCEL),
            may_extend=viewer.actor.may(Right.EXTEND),
            zone=viewer.zone,
            now=viewer.now,
            query=f"?{urlencode({'next': next_url})}" if next_url else "",
            orders_url=reverse("order_list"),
        )


def row_context(
    listed: ListedOrder, *, viewer: Viewer, next_url: str, failed: Operation | None = None
) -> dict[str, Any]:
    """The context of the partial "orders/list.html#row"; `next_url` is the list to return to,
    `failed` a write that has just ended without effect.
    """
    setting = Setting.of(viewer, next_url=next_url)
    return {"row": make_row(Cells.of(listed), setting=setting, failed=failed)}


def make_row(cells: Cells, *, setting: Setting, failed: Operation | None = None) -> Row:
    order_id, zone, created_at = str(cells.id), setting.zone, cells.created_at
    path = f"{setting.orders_url}{order_id}/"
    badge = status_badge(cells.status, is_cancel_on_record=cells.is_cancel_on_record)
    return Row(
        id=order_id,
        status=cells.status,
        url=f"{path}{setting.query}",
        recipient=cells.recipient or UNNAMED,
        email=cells.email,
        gift=cells.gift or NOTHING,
        more=f"+{cells.more_items}" if cells.more_items else "",
        tone=badge.tone,
        icon=badge.icon,
        word=badge.word,
        amount=formats.money(cells.cents),
        amount_under="before tax" if cells.is_before_tax and cells.cents is not None else "",
        sender=cells.sender or NOTHING,
        batch=formats.short_id(cells.batch_id) if cells.batch_id else "",
        created=formats.day(created_at, zone) if created_at else "",
        created_iso=formats.iso(created_at) if created_at else "",
        missing="Goody does not know it any more" if cells.is_missing else "",
        matched=cells.matched,
        **_expires(cells, zone=zone, now=setting.now),
        **_deeds(cells, path, setting),
        **(_busy(cells.operation, path, setting) if cells.operation else {}),
        **(_failure(failed, path, setting) if failed else {}),
    )


def _deeds(cells: Cells, path: str, setting: Setting) -> dict[str, str]:
    if cells.is_missing:
        # Which the row says; the order's page asks Goody anew.
        return {"cancel_url": "", "extend_url": "", "why": ""}
    query = setting.query
    cancel = eligibility.may_cancel(cells, now=setting.now)
    extend = eligibility.may_extend(cells, now=setting.now)
    may_cancel = setting.may_cancel and cancel.is_allowed
    may_extend = setting.may_extend and extend.is_allowed
    return {
        "cancel_url": f"{path}cancel/{query}" if may_cancel else "",
        "extend_url": f"{path}expiration/{query}" if may_extend else "",
        "why": "" if may_cancel and may_extend else _why_not(setting, cancel, extend),
    }


def _why_not(setting: Setting, cancel: Verdict, extend: Verdict) -> str:
    """The sentence beside, or in place of, the links; "" when what may be done is offered."""
    refusals = [verdict.sentence for verdict in (cancel, extend) if not verdict.is_allowed]
    if len(refusals) == 2 and refusals[1] == refusals[0].replace("canceled", "extended", 1):
        return refusals[0].replace("canceled", "canceled or extended", 1)
    if not refusals and not (setting.may_cancel or setting.may_extend):
        return "An agent can cancel or extend it."
    return " ".join(refusals)


def _expires(cells: Cells, *, zone: ZoneInfo, now: datetime) -> dict[str, str]:
    expiry = eligibility.expiry(cells, now)
    if expiry.at is None or expiry.kind is ExpiryKind.IRRELEVANT:
        text = "No expiry" if expiry.kind is ExpiryKind.NONE else NOTHING
        return {"expires": text, "expires_tone": "muted"}
    is_past = expiry.kind is ExpiryKind.PAST
    return {
        "expires": "Expired" if is_past else formats.relative(expiry.at, now),
        "expires_tone": EXPIRY_TONES[expiry.kind],
        "expires_under": formats.date_time(expiry.at, zone),
        "expires_iso": formats.iso(expiry.at),
    }


def _busy(operation: Operation, path: str, setting: Setting) -> dict[str, str]:
    query = setting.query
    token = poll_token(operation, setting.now)
    title = tell(operation, now=setting.now, zone=setting.zone).title
    asked = asked_at(operation, now=setting.now, zone=setting.zone)
    return {
        "busy": f"{title} · {operation.actor_name}, {asked}",
        "busy_url": f"{path}operations/{operation.id}/{query}",
        "poll_url": f"{path}{query}{'&' if query else '?'}poll={token}",
        "poll_every": poll_every(operation, setting.now),
    }


def _failure(operation: Operation, path: str, setting: Setting) -> dict[str, str]:
    told = tell(operation, now=setting.now, zone=setting.zone)
    return {
        "failure": told.title,
        "failure_why": f"{told.sentence} {told.next_step}".strip(),
        "failure_url": f"{path}operations/{operation.id}/{setting.query}",
    }
