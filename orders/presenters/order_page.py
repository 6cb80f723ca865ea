"""An order's page: every field of Goody's schema, the possible actions, and the timeline.

Values that the viewer has no right to are left out here, so no template can show them. The head is
in order_head.py, the sections are in order_sections.py and money.py, operations in operations.py.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from goody.types import ENDED, Order, parse_order
from orders import formats
from orders.models import Operation
from orders.outcomes import is_confirmed_by_goody
from orders.rights import Actor, Right
from orders.services import OrderWithOperations
from orders.text import hex_digest
from orders.viewer import Viewer

from . import order_sections as sections
from .elements import LabeledValue
from .money import MoneySection, money_section
from .operations import (
    POLL_SELDOM,
    OperationTexts,
    make_operation_texts,
    poll_interval,
    poll_token,
    recent_failure,
    undo_form,
    with_next_url,
)
from .order_head import (
    OrderActions,
    OrderAttribute,
    OrderHeader,
    header_attributes,
    make_actions,
    make_header,
    support_message_text,
)
from .order_steps import OrderStep, applied_cancel, order_end, order_steps
from .raw_values import RawValues
from .status import status_explanation
from .timeline import TimelineDay, timeline_entries


@dataclass(frozen=True, slots=True)
class OrderSections:
    """The fields of the order below its head."""

    steps: list[OrderStep]
    gift: sections.Gift
    # What was sent, if the recipient chose another gift.
    original_gift: sections.Gift | None
    # An unreadable `is_swapped`; "" if it is readable.
    swapped: str
    parcels: list[sections.Parcel]
    no_parcels: str
    money: MoneySection
    ids: list[LabeledValue]


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
class UndocumentedParts:
    """The parts of Goody's answer that could not be read or are not documented."""

    unread: list[str]
    unknown_fields: list[str]


@dataclass(frozen=True, slots=True)
class PageUrls:
    """The URLs of an order's page, of its polls, and of the fragment with a fresh read.

    `poll_every` is "" if nothing is polled, `read` is "" if the page shows a fresh read already.
    """

    page: str
    poll: str
    poll_every: str
    read: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    id: str
    # The title of the browser tab, without personal data.
    tab: str
    urls: PageUrls
    # Whether Goody has not answered (yet).
    is_copy: bool
    status: str
    head: OrderHeader
    attributes: list[OrderAttribute]
    actions: OrderActions
    explanation: str
    support_message: str
    warnings: UndocumentedParts
    sections: OrderSections
    restricted: RestrictedValues
    timeline: list[TimelineDay]
    zone: str


# The parameter of a read from Goody; its value is the token of the view that is shown.
READ = "read"


def order_page_token(view: OrderWithOperations, viewer: Viewer) -> str:
    """Return a token of the page's content, except the age of the copy."""
    operation = poll_token(view.pending_operation, viewer.now, job=view.job)
    order = view.order
    outcomes = [
        (one.state, one.closed_at, one.contradicted_at, one.effect_seen_at)
        for one in view.operations
    ]
    values = (order.raw, order.status, order.event_times, view.problem, view.is_missing, outcomes)
    return hex_digest(f"{values!r} {operation}".encode())


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
    order, raw = view.order, make_raw_values(view.order, viewer)
    is_outdated = bool(view.problem or view.is_missing)
    offered = () if is_outdated or view.blocking else undoable
    without_worker = view.pending_operation if is_worker_missing else None
    shown = [
        (o, _operation(o, view, viewer, offered, is_worker_missing=o is without_worker))
        for o in view.operations
    ]
    failure = recent_failure(view.operations, viewer.now)
    head = make_header(view, viewer=viewer)
    return OrderDetail(
        id=str(order.id),
        tab=f"{formats.shorten_id(order.reference_id or str(order.id))} · {head.badges[0].word}",
        urls=_urls(view, viewer, read_token),
        is_copy=is_outdated or bool(read_token),
        status=order.status,
        head=head,
        attributes=header_attributes(view, raw, viewer=viewer),
        actions=make_actions(view, viewer, failure=shown[0][1] if failure else None),
        explanation=_explanation(view),
        support_message=support_message_text(order, now=viewer.now),
        warnings=UndocumentedParts(raw.lines(), sorted(order.unknown_fields)),
        sections=_sections(view, raw, viewer),
        restricted=_restricted(order, raw, viewer.actor),
        timeline=_timeline(view, shown, failure, viewer),
        zone=viewer.zone.key,
    )


def _urls(view: OrderWithOperations, viewer: Viewer, read_token: str) -> PageUrls:
    url = with_next_url(reverse("order_detail", args=[view.order.id]), viewer.next_url)
    join = f"{url}{'&' if '?' in url else '?'}"
    return PageUrls(
        page=url,
        poll=f"{join}poll={poll_token(view.pending_operation, viewer.now, job=view.job)}",
        poll_every=_poll_every(view, viewer),
        read=f"{join}{READ}={read_token}" if read_token else "",
    )


def _poll_every(view: OrderWithOperations, viewer: Viewer) -> str:
    if view.pending_operation is not None:
        return poll_interval(view.pending_operation, viewer.now)
    return POLL_SELDOM if view.job is not None else ""


def _timeline(
    view: OrderWithOperations,
    shown: Sequence[tuple[Operation, OperationTexts]],
    failure: Operation | None,
    viewer: Viewer,
) -> list[TimelineDay]:
    return timeline_entries(
        view.order,
        shown,
        failure=failure,
        is_cancel_on_record=view.is_cancel_on_record,
        clock=viewer.clock,
    )


def _operation(
    operation: Operation,
    view: OrderWithOperations,
    viewer: Viewer,
    undoable: Collection[UUID],
    *,
    is_worker_missing: bool = False,
) -> OperationTexts:
    may_undo = operation.id in undoable
    return make_operation_texts(
        operation,
        now=viewer.now,
        zone=viewer.zone,
        undo=undo_form(operation, view.order, viewer.next_url) if may_undo else None,
        next_url=viewer.next_url,
        is_worker_missing=is_worker_missing,
    )


def _explanation(view: OrderWithOperations) -> str:
    """Return the explanation of the status, "" if the page names the person who canceled it."""
    cancel = applied_cancel(view.operations)
    is_explained = cancel is not None and is_confirmed_by_goody(cancel)
    return "" if is_explained else status_explanation(view.order.status)


def make_raw_values(order: Order, viewer: Viewer) -> RawValues:
    return RawValues(order, may_read_messages=viewer.actor.may(Right.READ_MESSAGES))


def _sections(view: OrderWithOperations, raw: RawValues, viewer: Viewer) -> OrderSections:
    order, cancel = view.order, applied_cancel(view.operations)
    is_uncharged = order.status in ENDED and (cancel is not None or _was_never_accepted(order))
    return OrderSections(
        steps=order_steps(order, raw, end=order_end(order, cancel), clock=viewer.clock),
        gift=sections.current_gift(order, raw),
        original_gift=sections.original_gift(order, raw),
        swapped=raw.unreadable("is_swapped"),
        parcels=sections.make_parcels(order, raw, clock=viewer.clock),
        no_parcels=sections.no_parcels_sentence(order),
        money=money_section(order, raw, is_uncharged=is_uncharged),
        ids=sections.id_lines(order, raw, viewer=viewer),
    )


def _was_never_accepted(order: Order) -> bool:
    """Whether this answer has event times, which lists lack, but no time of acceptance."""
    times = parse_order(order.raw).event_times
    is_unreadable = "event_times.accepted_at" in order.problems
    return times is not None and times.accepted_at is None and not is_unreadable


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
    """Return indented JSON, or the text unchanged if it cannot be parsed."""
    text = raw.decode("utf-8", "replace")
    try:
        return formats.printable(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return text
