"""An order's page: every field of Goody's schema, the possible actions, and the timeline.

Values that the viewer has no right to are left out here, so no template can show them. The
sections are in order_sections.py, operations in operations.py.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from goody.errors import NO_EVIDENCE, Unauthorized
from goody.types import ENDED, Order, parse_order
from orders import eligibility, formats, services
from orders.audit import Actor, NotAllowed, Right
from orders.eligibility import Verdict
from orders.formats import TimeElement
from orders.goody_api import KeyRejected
from orders.models import Operation
from orders.services import OrderWithOperations, freshness_problem
from orders.text import hex_digest
from orders.viewer import Viewer

from . import order_sections as sections
from .elements import Line
from .operations import (
    OperationTexts,
    make_operation_texts,
    poll_interval,
    poll_token,
    recent_failure,
    with_next_url,
)
from .progress import OrderStep, applied_cancel, order_end, order_steps
from .raw_values import RawValues
from .status import EXPIRY_TONES, Badge, expiry_text, order_badges, status_explanation
from .timeline import TimelineEntry, timeline_entries


@dataclass(frozen=True, slots=True)
class OrderHeader:
    """The head of an order's page: recipient, status, expiration, and the age of the copy."""

    recipient: str
    email: str
    badges: list[Badge]
    expiry: str
    expiry_tone: str
    expires: TimeElement | None
    as_of: TimeElement


@dataclass(frozen=True, slots=True)
class OrderAction:
    """An action and whether it is possible. `url` is "" if it is not."""

    sentence: str
    next_step: str
    url: str


@dataclass(frozen=True, slots=True)
class OrderSections:
    """The fields of the order as lines."""

    rail: list[OrderStep]
    gift: sections.Gift
    original_gift: sections.Gift | None
    swapped: str
    parcels: list[sections.Parcel]
    no_parcels: str
    money: list[sections.Amount]
    original_money: list[sections.Amount]
    people: list[Line]
    ids: list[Line]


@dataclass(frozen=True, slots=True)
class RestrictedValues:
    """Values that require a separate right; "" without the right or if Goody gave none."""

    may_read_messages: bool
    message: str
    thank_you_note: str
    gift_link: str
    payment_link: str
    raw: str


@dataclass(frozen=True, slots=True)
class CopyWarnings:
    """The limitations of this copy of the order."""

    problem: str
    is_missing: bool
    unread: list[str]
    unknown_fields: list[str]


@dataclass(frozen=True, slots=True)
class OrderDetail:
    id: str
    url: str
    poll_url: str
    # From which the page loads Goody's answer; "" if it shows that.
    read_url: str
    status: str
    head: OrderHeader
    cancel: OrderAction
    extend: OrderAction
    explanation: str
    hand_off: str
    warnings: CopyWarnings
    open_operation: OperationTexts | None
    last_failure: OperationTexts | None
    poll_every: str
    sections: OrderSections
    restricted: RestrictedValues
    timeline: list[TimelineEntry]


# The parameter of a read from Goody; its value is the token of the view that is shown.
READ = "read"


def view_token(view: OrderWithOperations, viewer: Viewer) -> str:
    """Return a token that is equal for views that differ on the page only in their age."""
    operation = poll_token(view.pending, viewer.now)
    order = view.order
    outcomes = [
        (one.state, one.closed_at, one.contradicted_at, one.effect_seen_at)
        for one in view.operations
    ]
    facts = (order.raw, order.status, order.event_times, view.problem, view.is_missing, outcomes)
    return hex_digest(f"{facts!r} {operation}".encode())


def make_order_detail(
    view: OrderWithOperations,
    *,
    viewer: Viewer,
    undoable: Collection[UUID],
    read_token: str = "",
    is_worker_missing: bool = False,
) -> OrderDetail:
    """Return the detail of an order.

    `undoable`: ids of the operations that the viewer may undo now. With `read_token` the page loads
    Goody's answer. `is_worker_missing`: the pending operation requires a worker, and none runs.
    """
    order, raw = view.order, raw_values(view.order, viewer)
    offered = () if _obstacle(view) else undoable
    shown = [
        (
            o,
            _operation(
                o, viewer, offered, is_worker_missing=is_worker_missing and o is view.pending
            ),
        )
        for o in view.operations
    ]
    url = with_next_url(reverse("order_detail", args=[order.id]), viewer.next_url)
    waiting = next((s for _, s in shown if s.is_open), None)
    pending = view.pending
    join = f"{url}{'&' if '?' in url else '?'}"
    return OrderDetail(
        id=str(order.id),
        url=url,
        poll_url=f"{join}poll={poll_token(pending, viewer.now)}",
        read_url=f"{join}{READ}={read_token}" if read_token else "",
        status=order.status,
        head=make_header(view, viewer=viewer),
        cancel=_cancel_action(view, viewer),
        extend=_extend_action(view, viewer),
        explanation=status_explanation(order.status),
        hand_off=_hand_off(order, viewer.now),
        warnings=_warnings(view, raw, viewer),
        open_operation=waiting,
        last_failure=shown[0][1] if recent_failure(view.operations, viewer.now) else None,
        poll_every=poll_interval(pending, viewer.now) if pending else "",
        sections=_sections(view, raw, viewer.zone),
        restricted=_restricted(order, raw, viewer.actor),
        timeline=timeline_entries(
            order, shown, is_cancel_on_record=view.is_cancel_on_record, zone=viewer.zone
        ),
    )


def _operation(
    operation: Operation,
    viewer: Viewer,
    undoable: Collection[UUID],
    *,
    is_worker_missing: bool = False,
) -> OperationTexts:
    return make_operation_texts(
        operation,
        now=viewer.now,
        zone=viewer.zone,
        may_undo=operation.id in undoable,
        next_url=viewer.next_url,
        is_worker_missing=is_worker_missing,
    )


def make_header(view: OrderWithOperations, *, viewer: Viewer) -> OrderHeader:
    order, zone = view.order, viewer.zone
    raw = raw_values(order, viewer)
    expiry = eligibility.classify_expiry(order, viewer.now)
    return OrderHeader(
        recipient=sections.shown_recipient(order),
        email=order.recipient_email or "",
        badges=order_badges(
            services.listed_order(view).hit, is_cancel_on_record=view.is_cancel_on_record
        ),
        expiry=expiry_text(expiry, viewer.now, raw.unreadable("expires_at")),
        expiry_tone=EXPIRY_TONES[expiry.kind],
        expires=formats.time_element(expiry.at, zone),
        as_of=formats.TimeElement(formats.iso_utc(view.as_of), formats.date_time(view.as_of, zone)),
    )


def _cancel_action(view: OrderWithOperations, viewer: Viewer) -> OrderAction:
    verdict = eligibility.may_cancel(
        view.order, now=viewer.now, is_cancel_on_record=view.is_cancel_on_record
    )
    return _action(view, viewer, verdict, Right.CANCEL, "order_cancel")


def _extend_action(view: OrderWithOperations, viewer: Viewer) -> OrderAction:
    verdict = eligibility.may_extend(
        view.order, now=viewer.now, is_cancel_on_record=view.is_cancel_on_record
    )
    return _action(view, viewer, verdict, Right.EXTEND, "order_expiration")


def _action(
    view: OrderWithOperations, viewer: Viewer, verdict: Verdict, right: Right, name: str
) -> OrderAction:
    obstacle = _obstacle(view) if verdict.is_allowed else ""
    if obstacle:
        verb = "canceled" if right is Right.CANCEL else "extended"
        return OrderAction(f"Cannot be {verb}{obstacle}", "", "")
    if verdict.is_allowed and not viewer.actor.may(right):
        return OrderAction(verdict.sentence, str(NotAllowed(right)), "")
    url = with_next_url(reverse(name, args=[view.order.id]), viewer.next_url)
    return OrderAction(verdict.sentence, verdict.next_step, url if verdict.is_allowed else "")


def _obstacle(view: OrderWithOperations) -> str:
    """Return the reason why no change is possible, as the end of a sentence; "" if one is."""
    if view.is_missing:
        return ": Goody does not know this order."
    if view.problem:
        return " until Goody answers."
    if view.operation is not None:
        return " before the change under way is settled."
    return ""


def _hand_off(order: Order, now: datetime) -> str:
    """Return the text for Goody support if only they can change the order; else ""."""
    verdict = eligibility.may_cancel(order, now=now)
    return eligibility.hand_off(order) if verdict.code == "accepted" else ""


def _warnings(view: OrderWithOperations, raw: RawValues, viewer: Viewer) -> CopyWarnings:
    order = view.order
    problem = problem_text(view.problem, viewer.actor)
    return CopyWarnings(problem, view.is_missing, raw.lines(), sorted(order.unknown_fields))


_KEY_PROBLEMS = {
    freshness_problem(KeyRejected()),
    freshness_problem(Unauthorized(message="", evidence=NO_EVIDENCE)),
}


def problem_text(problem: str, actor: Actor) -> str:
    """Return `problem` of services as shown. Only admins see that the key is rejected."""
    if problem in _KEY_PROBLEMS and not actor.may(Right.SYSTEM):
        return "This dashboard has no working connection to Goody at present"
    return problem


def raw_values(order: Order, viewer: Viewer) -> RawValues:
    return RawValues(order, may_read_messages=viewer.actor.may(Right.READ_MESSAGES))


def _sections(view: OrderWithOperations, raw: RawValues, zone: ZoneInfo) -> OrderSections:
    order, cancel = view.order, applied_cancel(view.operations)
    is_uncharged = order.status in ENDED and (cancel is not None or _was_never_accepted(order))
    return OrderSections(
        rail=order_steps(order, raw, end=order_end(order, cancel), zone=zone),
        gift=sections.current_gift(order, raw),
        original_gift=sections.original_gift(order, raw),
        swapped=raw.unreadable("is_swapped") or _SWAPPED[order.is_swapped],
        parcels=sections.make_parcels(order, raw, zone=zone),
        no_parcels="None." if order.status in ENDED else "None yet.",
        money=sections.amount_lines(order, raw, is_uncharged=is_uncharged),
        original_money=sections.original_amount_lines(order, raw),
        people=sections.people_lines(order, raw),
        ids=sections.id_lines(order),
    )


def _was_never_accepted(order: Order) -> bool:
    """Whether this answer has event times, which lists lack, but no time of acceptance."""
    times = parse_order(order.raw).event_times
    is_unreadable = "event_times.accepted_at" in order.problems
    return times is not None and times.accepted_at is None and not is_unreadable


_SWAPPED = {
    True: "Swapped: the recipient chose another gift",
    False: "Not swapped",
    None: "Goody does not say whether it was swapped",
}


def _restricted(order: Order, raw: RawValues, actor: Actor) -> RestrictedValues:
    may_read = actor.may(Right.READ_MESSAGES)
    # The link of an ended gift is of no use to the recipient.
    may_copy_link = actor.may(Right.COPY_GIFT_LINK) and order.status not in ENDED
    return RestrictedValues(
        may_read_messages=may_read,
        message=_if(may_read, order.message or raw.unreadable("message")),
        thank_you_note=_if(may_read, order.thank_you_note or raw.unreadable("thank_you_note")),
        gift_link=_if(may_copy_link, order.individual_gift_link),
        payment_link=_if(actor.may(Right.COPY_PAYMENT_LINK), order.payment_link),
        raw=pretty_json(order.raw) if actor.may(Right.READ_RAW) else "",
    )


def _if(is_permitted: bool, text: str | None) -> str:
    return (text or "") if is_permitted else ""


def pretty_json(raw: bytes) -> str:
    """Return the JSON indented, or unchanged if it cannot be parsed."""
    text = raw.decode("utf-8", "replace")
    try:
        return formats.printable(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return text
