"""The timeline of an order: Goody's event times and the operations made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from goody.types import ENDED, Order
from orders import formats
from orders.audit import Action
from orders.formats import TimeElement
from orders.models import Operation, State
from orders.outcomes import is_confirmed

from .operations import OperationTexts

_EVENTS = (
    ("created_at", "Order created"),
    ("notified_at", "Recipient notified"),
    ("opened_at", "Gift opened"),
    ("accepted_at", "Gift accepted"),
    ("thank_you_added_at", "Thank-you note added"),
    ("pending_payment_at", "Payment pending"),
    ("paid_at", "Paid"),
    ("shipped_at", "First shipment moved"),
    ("delivered_at", "Last shipment delivered"),
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An entry of the timeline.

    `anchor` is the fragment of the permalink; `operation` is None for events of Goody.
    """

    anchor: str
    title: str
    tone: str
    moment: TimeElement | None
    by: str
    operation: OperationTexts | None = None


def timeline_entries(
    order: Order,
    operations: Sequence[tuple[Operation, OperationTexts]],
    *,
    is_cancel_on_record: bool,
    zone: ZoneInfo,
) -> list[TimelineEntry]:
    """Return the entries, newest first. An end without a time comes first."""
    dated = [*_goody_events(order, zone), *(_operation_entry(*one) for one in reversed(operations))]
    # Sorted oldest first: events with the same time keep their order, which is that of the fields.
    dated.sort(key=lambda pair: pair[0])
    newest_first = [entry for _, entry in reversed(dated)]
    return [*_end(order, operations, is_cancel_on_record), *newest_first]


def _goody_events(order: Order, zone: ZoneInfo) -> list[tuple[datetime, TimelineEntry]]:
    found = [(getattr(order.event_times, name, None), name, title) for name, title in _EVENTS]
    return [
        (at, TimelineEntry(name, title, "neutral", formats.time_element(at, zone), "Goody"))
        for at, name, title in found
        if at is not None
    ]


def _operation_entry(operation: Operation, shown: OperationTexts) -> tuple[datetime, TimelineEntry]:
    entry = TimelineEntry(
        anchor=f"operation-{shown.id}",
        title=_title(operation, shown),
        tone=shown.message.tone,
        moment=shown.asked,
        by=shown.who,
        operation=shown,
    )
    return operation.created_at, entry


def _title(operation: Operation, shown: OperationTexts) -> str:
    if is_confirmed(operation) and shown.is_cancel and operation.contradicted_at is None:
        return f"Canceled here by {shown.who}"
    return f"{shown.name}: {shown.message.title}"


def _end(
    order: Order,
    operations: Sequence[tuple[Operation, OperationTexts]],
    is_cancel_on_record: bool,
) -> list[TimelineEntry]:
    """Return the entry for the end of an order, if it was not canceled here.

    A cancel made here has an entry already. If a cancel from here may have been applied, the entry
    does not state where the order was canceled.
    """
    if order.status not in ENDED:
        return []
    if any(_tells_the_end(operation) for operation, _ in operations):
        return []
    what = formats.status_name(order.status, is_cancel_on_record=is_cancel_on_record)
    may_be_ours = any(_may_be_our_cancel(operation) for operation, _ in operations)
    where = "" if may_be_ours else " outside this dashboard"
    title = f"{what}{where} (Goody gives neither time nor person)"
    return [TimelineEntry("ended", title, "neutral", None, "Goody")]


def _may_be_our_cancel(operation: Operation) -> bool:
    was_sent = operation.action == Action.ORDER_CANCEL and operation.sent_at is not None
    return was_sent and operation.state in _MAY_HAVE_ARRIVED


_MAY_HAVE_ARRIVED = (
    State.SENDING,
    State.UNKNOWN,
    State.NEEDS_HUMAN,
    State.NOT_APPLIED,
    State.REFUSED,
    State.APPLIED,
)


def _tells_the_end(operation: Operation) -> bool:
    """Whether the entry of this cancel already states that the order is canceled."""
    is_known = operation.state == State.APPLIED or operation.effect_seen_at is not None
    return operation.action == Action.ORDER_CANCEL and is_known
