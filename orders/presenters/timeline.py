"""The timeline of an order: Goody's event times and the operations made here, by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from goody.types import ENDED, Order
from orders import formats
from orders.audit import Action
from orders.days import RequestClock
from orders.models import Operation, State
from orders.outcomes import is_confirmed_by_goody

from .operations import OperationTexts

_EVENTS = (
    ("created_at", "Order created"),
    ("notified_at", "Recipient notified"),
    ("opened_at", "Gift opened"),
    ("accepted_at", "Gift accepted"),
    ("thank_you_added_at", "Thank-you note added"),
    ("pending_payment_at", "Payment pending"),
    ("paid_at", "Paid"),
    ("shipped_at", "First parcel shipped"),
    ("delivered_at", "Last parcel delivered"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """An entry of the timeline: an event of Goody, or an operation that a person requested.

    `anchor` is the fragment of the permalink. `who` is the person, `text` the text after the name.
    `outcome` and `sentence` are "" if `text` is sufficient; `was` is the former expiration.
    """

    anchor: str
    text: str
    kind: str = "goody"
    who: str = ""
    iso: str = ""
    minute: str = ""
    at: str = ""
    outcome: str = ""
    sentence: str = ""
    was: str = ""
    operation: OperationTexts | None = None

    @property
    def has_box(self) -> bool:
        """Whether anything is in the box below the text."""
        one = self.operation
        written = one is not None and (one.reason or one.note or one.ticket or one.job)
        return bool(self.outcome or self.sentence or self.was or written)


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """The entries of a day, newest first. The label is "Time unknown" for those without a time."""

    label: str
    entries: list[TimelineEntry]


type _Dated = tuple[datetime, TimelineEntry]


def timeline_entries(
    order: Order,
    operations: Sequence[tuple[Operation, OperationTexts]],
    *,
    failure: Operation | None,
    is_cancel_on_record: bool,
    clock: RequestClock,
) -> list[TimelineDay]:
    """Return the days, newest first. An end without a time comes first.

    `failure` is the operation whose outcome the header of the page already describes.
    """
    dated = [
        *_goody_events(order, clock),
        *(
            _operation_entry(one, shown, clock, is_told=one is failure)
            for one, shown in reversed(operations)
        ),
    ]
    # Sorted oldest first: events with the same time keep their order, which is that of the fields.
    dated.sort(key=lambda pair: pair[0])
    return [*_end(order, operations, is_cancel_on_record), *_by_day(reversed(dated), clock)]


def _by_day(newest_first: Iterable[_Dated], clock: RequestClock) -> list[TimelineDay]:
    return [
        TimelineDay(label, [entry for _, entry in group])
        for label, group in groupby(newest_first, key=lambda pair: _day_label(pair[0], clock))
    ]


def _day_label(at: datetime, clock: RequestClock) -> str:
    today = formats.convert_to_zone(clock.now, clock.zone).date()
    day = formats.convert_to_zone(at, clock.zone).date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return formats.compact_day(at, clock.now, clock.zone)


def _goody_events(order: Order, clock: RequestClock) -> list[_Dated]:
    found = [(getattr(order.event_times, name, None), name, text) for name, text in _EVENTS]
    return [
        (at, _dated(TimelineEntry(anchor=name, text=text), at, clock))
        for at, name, text in found
        if at is not None
    ]


def _dated(entry: TimelineEntry, at: datetime, clock: RequestClock) -> TimelineEntry:
    return replace(
        entry,
        iso=formats.iso_utc(at),
        minute=formats.hour_and_minute(at, clock.zone),
        at=formats.date_time(at, clock.zone),
    )


def _operation_entry(
    operation: Operation, shown: OperationTexts, clock: RequestClock, *, is_told: bool
) -> _Dated:
    is_done = is_confirmed_by_goody(operation) and operation.contradicted_at is None
    message = shown.message
    entry = TimelineEntry(
        anchor=f"operation-{shown.id}",
        who=shown.who,
        text=_change_made(operation, clock) if is_done else _request(operation),
        kind="bad" if message.tone == "bad" else "staff",
        outcome="" if is_done else message.title,
        sentence="" if is_done or is_told else f"{message.sentence} {message.next_step}".strip(),
        was=_former_expiration(operation, clock) if is_done else "",
        operation=shown,
    )
    return operation.created_at, _dated(entry, operation.created_at, clock)


def _change_made(operation: Operation, clock: RequestClock) -> str:
    """Return the text after the person's name for a confirmed operation: "canceled the gift"."""
    if operation.action == Action.ORDER_CANCEL:
        return "canceled the gift"
    if operation.expiration is None:
        return "changed the expiration"
    verb = "restored the expiration" if operation.undoes_id else _verb(operation)
    return f"{verb} {_short(operation.expiration, clock)}"


def _verb(operation: Operation) -> str:
    before, after = operation.expires_before, operation.expiration
    is_later = before is not None and after is not None and after > before
    return "extended the gift to" if is_later else "set the expiration to"


def _request(operation: Operation) -> str:
    if operation.action == Action.ORDER_CANCEL:
        return "asked to cancel the gift"
    return f"asked to {'undo a change of' if operation.undoes_id else 'change'} the expiration"


def _former_expiration(operation: Operation, clock: RequestClock) -> str:
    if operation.action != Action.ORDER_EXTEND:
        return ""
    before = operation.expires_before
    return f"It was {_short(before, clock)}." if before else "It had no expiration."


def _short(at: datetime, clock: RequestClock) -> str:
    return formats.compact_date_time(at, clock.now, clock.zone)


def _end(
    order: Order,
    operations: Sequence[tuple[Operation, OperationTexts]],
    is_cancel_on_record: bool,
) -> list[TimelineDay]:
    """Return an entry without a time for the end of an order, if it was not canceled here.

    A cancel made here has an entry already. If a cancel from here may have been applied, the entry
    does not state where the order was canceled.
    """
    if order.status not in ENDED:
        return []
    if any(_states_the_end(operation) for operation, _ in operations):
        return []
    what = formats.status_name(order.status, is_cancel_on_record=is_cancel_on_record)
    may_be_ours = any(_may_be_our_cancel(operation) for operation, _ in operations)
    where = "" if may_be_ours else " outside this dashboard"
    text = f"{what}{where} (Goody gives neither time nor person)"
    return [TimelineDay("Time unknown", [TimelineEntry(anchor="ended", text=text)])]


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


def _states_the_end(operation: Operation) -> bool:
    """Whether the entry of this cancel already states that the order is canceled."""
    is_known = operation.state == State.APPLIED or operation.effect_seen_at is not None
    return operation.action == Action.ORDER_CANCEL and is_known
