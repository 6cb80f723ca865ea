"""An order's page, ready to be placed: everything Goody's schema names, what may be done and why
not, and what happened.

What the viewer has no right to is not in here at all, so that no template can show it. The parts
themselves stand in parts.py and timeline.py, the writes in operations.py.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from goody.types import ENDED, ORDER_STATUSES, Order
from orders import eligibility, formats
from orders.audit import Actor, NotAllowed, Right
from orders.eligibility import ExpiryKind, Verdict
from orders.formats import Moment
from orders.models import Operation
from orders.services import OrderView

from . import marks, parts
from .operations import OperationView, describe, lately_failed, poll_token, with_next
from .problems import problem_in_words
from .timeline import Entry, timeline


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, where from, and when: what every text on the page depends on."""

    actor: Actor
    zone: ZoneInfo
    now: datetime
    next_url: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The first thing seen: who, how it stands, until when, and how fresh that is."""

    recipient: str
    email: str
    badge: marks.Badge
    expiry: str
    expiry_tone: str
    expires: Moment | None
    as_of: Moment


@dataclass(frozen=True, slots=True)
class OrderAction:
    """An action with its sentence. `url` is "" where it can not be begun."""

    sentence: str
    next_step: str
    url: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What Goody says of the order, as lines."""

    rail: list[parts.Step]
    gift: parts.Gift
    original_gift: parts.Gift | None
    swapped: str
    parcels: list[parts.Parcel]
    money: list[parts.Amount]
    original_money: list[parts.Amount]
    people: list[parts.Line]
    ids: list[parts.Line]


@dataclass(frozen=True, slots=True)
class Guarded:
    """What needs a right of its own; "" without it, and where Goody gave nothing."""

    may_read_messages: bool
    message: str
    thank_you_note: str
    gift_link: str
    payment_link: str
    raw: str


@dataclass(frozen=True, slots=True)
class Warnings:
    """What is wrong with this copy of the order."""

    problem: str
    is_missing: bool
    unread: tuple[str, ...]
    unknown_fields: list[str]


@dataclass(frozen=True, slots=True)
class Detail:
    id: str
    url: str
    poll_url: str
    status: str
    head: Head
    cancel: OrderAction
    extend: OrderAction
    explanation: str
    hand_off: str
    warnings: Warnings
    open_operation: OperationView | None
    last_failure: OperationView | None
    poll_every: str
    contents: Contents
    guarded: Guarded
    timeline: list[Entry]


def present(view: OrderView, *, reader: Reader, undoable: Collection[UUID]) -> Detail:
    """`undoable`: ids of the operations that the reader may undo now."""
    order = view.order
    offered = () if _obstacle(view) else undoable
    shown = [(o, _describe(o, reader, offered)) for o in view.operations]
    url = with_next(reverse("order_detail", args=[order.id]), reader.next_url)
    waiting = next((s for _, s in shown if s.is_open), None)
    return Detail(
        id=str(order.id),
        url=url,
        poll_url=f"{url}{'&' if '?' in url else '?'}poll={poll_token(view.operation, reader.now)}",
        status=order.status,
        head=head(view, reader=reader),
        cancel=_cancel_deed(view, reader),
        extend=_extend_deed(view, reader),
        explanation=explanation(order.status),
        hand_off=_hand_off(order, reader.now),
        warnings=_warnings(view, reader),
        open_operation=waiting,
        last_failure=shown[0][1] if lately_failed(view.operations, reader.now) else None,
        poll_every=waiting.poll_every if waiting else "",
        contents=_contents(order, reader.zone),
        guarded=_guarded(order, reader.actor),
        timeline=timeline(
            order, shown, is_cancel_on_record=view.is_cancel_on_record, zone=reader.zone
        ),
    )


def _describe(operation: Operation, reader: Reader, undoable: Collection[UUID]) -> OperationView:
    return describe(
        operation,
        now=reader.now,
        zone=reader.zone,
        may_undo=operation.id in undoable,
        next_url=reader.next_url,
    )


def head(view: OrderView, *, reader: Reader) -> Head:
    order, zone = view.order, reader.zone
    expiry = eligibility.expiry(order, reader.now)
    return Head(
        recipient=parts.recipient(order),
        email=order.recipient_email or "",
        badge=marks.status_badge(order.status, is_cancel_on_record=view.is_cancel_on_record),
        expiry=expiry_in_words(expiry, reader.now),
        expiry_tone=marks.EXPIRY_TONES[expiry.kind],
        expires=formats.moment(expiry.at, zone),
        as_of=formats.Moment(formats.iso(view.as_of), formats.date_time(view.as_of, zone)),
    )


def expiry_in_words(expiry: eligibility.Expiry, now: datetime) -> str:
    """ "Expires in 3 d", "Expired 2 d ago", "No expiry"."""
    if expiry.at is None:
        return "No expiry"
    if expiry.kind == ExpiryKind.IRRELEVANT:
        return "Expiry no longer matters"
    distance = formats.relative(expiry.at, now)
    return f"Expired {distance}" if expiry.kind == ExpiryKind.PAST else f"Expires {distance}"


def _cancel_deed(view: OrderView, reader: Reader) -> OrderAction:
    verdict = eligibility.may_cancel(view.order, now=reader.now)
    return _deed(view, reader, verdict, Right.CANCEL, "order_cancel")


def _extend_deed(view: OrderView, reader: Reader) -> OrderAction:
    verdict = eligibility.may_extend(view.order, now=reader.now)
    return _deed(view, reader, verdict, Right.EXTEND, "order_expiration")


def _deed(
    view: OrderView, reader: Reader, verdict: Verdict, right: Right, name: str
) -> OrderAction:
    obstacle = _obstacle(view) if verdict.is_allowed else ""
    if obstacle:
        verb = "canceled" if right is Right.CANCEL else "extended"
        return OrderAction(f"Cannot be {verb}{obstacle}", "", "")
    if verdict.is_allowed and not reader.actor.may(right):
        return OrderAction(verdict.sentence, str(NotAllowed(right)), "")
    url = with_next(reverse(name, args=[view.order.id]), reader.next_url)
    return OrderAction(verdict.sentence, verdict.next_step, url if verdict.is_allowed else "")


def _obstacle(view: OrderView) -> str:
    """The end of a sentence: what stands in the way of any change, as in the dialogs."""
    if view.is_missing:
        return ": Goody does not know this order."
    if view.problem:
        return " until Goody answers."
    if view.operation is not None:
        return " before the change under way is settled."
    return ""


def explanation(status: str) -> str:
    """Goody's own definition behind the badge, for the group where it needs one; else ""."""
    if status in ENDED:
        return (
            f"Goody reports “{status}”. Its documentation describes “failed” as canceled: that is "
            "what canceling an order yields. “canceled” is listed as well, without a definition. "
            "Goody does not say who canceled it, when, or why."
        )
    if status not in ORDER_STATUSES:
        return (
            f"Goody reports “{status}”, which its documentation does not list. Nothing can be "
            "changed here until this dashboard knows what it means."
        )
    return ""


def _hand_off(order: Order, now: datetime) -> str:
    """The text for Goody support, for orders that only they can change."""
    verdict = eligibility.may_cancel(order, now=now)
    return eligibility.hand_off(order) if verdict.code == "accepted" else ""


def _warnings(view: OrderView, reader: Reader) -> Warnings:
    order = view.order
    problem = problem_in_words(view.problem, reader.actor)
    return Warnings(problem, view.is_missing, order.problems, sorted(order.unknown_fields))


def _contents(order: Order, zone: ZoneInfo) -> Contents:
    return Contents(
        rail=parts.rail(order, zone=zone),
        gift=parts.gift(order.cart, order.cart_selections),
        original_gift=parts.gift(order.original_cart) if order.original_cart else None,
        swapped=_SWAPPED[order.is_swapped],
        parcels=parts.parcels(order, zone=zone),
        money=parts.money(order),
        original_money=parts.original_money(order),
        people=parts.people(order),
        ids=parts.ids(order),
    )


_SWAPPED = {
    True: "Swapped: the recipient chose another gift",
    False: "Not swapped",
    None: "Goody does not say whether it was swapped",
}


def _guarded(order: Order, actor: Actor) -> Guarded:
    may_read = actor.may(Right.READ_MESSAGES)
    return Guarded(
        may_read_messages=may_read,
        message=_if(may_read, order.message),
        thank_you_note=_if(may_read, order.thank_you_note),
        gift_link=_if(actor.may(Right.COPY_GIFT_LINK), order.individual_gift_link),
        payment_link=_if(actor.may(Right.COPY_PAYMENT_LINK), order.payment_link),
        raw=pretty(order.raw) if actor.may(Right.READ_RAW) else "",
    )


def _if(is_permitted: bool, text: str | None) -> str:
    return (text or "") if is_permitted else ""


def pretty(raw: bytes) -> str:
    """The JSON as received, indented; as it came where it can not be read again."""
    text = raw.decode("utf-8", "replace")
    try:
        return formats.printable(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return text
