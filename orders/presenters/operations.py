"""Texts about an operation: the person, the time, the reason, the change, and the outcome.

The sentences of an outcome come from orders.outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.urls import reverse

from goody.types import Order
from orders import eligibility, formats
from orders.audit import NAMES, REASONS, Action
from orders.formats import TimeElement
from orders.forms.writes import sign_snapshot
from orders.models import BlockingJob, Operation, State
from orders.outcome_message import OutcomeMessage, Tone
from orders.outcomes import is_confirmed_by_goody, outcome_message

from .elements import Banner, Link

_REASONS = dict(REASONS)
# While the operation is being sent, and afterwards.
_VERBS = {
    Action.ORDER_CANCEL: ("is canceling", "asked to cancel", "this gift"),
    Action.ORDER_EXTEND: ("is changing", "asked to change", "this gift's expiration"),
}
_UNKNOWN_SUFFIX = {
    State.UNKNOWN: "; the outcome is being checked",
    State.NEEDS_HUMAN: "; the outcome needs a person",
}

_UTC = ZoneInfo("UTC")
_FREQUENT_POLLING = timedelta(minutes=5)
# Afterwards, and while an order waits in a job.
POLL_SELDOM = "15s"
_BANNER_TONES = {Tone.GOOD: "good", Tone.BUSY: "info", Tone.BAD: "bad", Tone.NEUTRAL: "warn"}


@dataclass(frozen=True, slots=True)
class UndoForm:
    """The URL and the hidden fields of a form with a single button, which undoes an extension."""

    url: str
    form_key: str
    snapshot: str
    next_url: str


@dataclass(frozen=True, slots=True)
class OperationTexts:
    """One operation as texts. Missing texts are ""."""

    id: UUID
    url: str
    action: str
    name: str
    message: OutcomeMessage
    who: str
    requested: TimeElement
    sent: TimeElement | None
    closed: TimeElement | None
    reason: str
    note: str
    ticket: str
    ticket_url: str
    change: str
    is_open: bool
    needs_human: bool
    # None if it cannot be undone now, or not by the viewer.
    undo: UndoForm | None
    undoes_url: str
    # The job of which it is an item.
    job: Link | None
    # The dialog that asks for the same again, after it was not applied.
    again_url: str
    is_cancel: bool
    # Whether the message states the change.
    is_change_in_message: bool
    # Polling interval of a page that shows it ("2s"); "" if it does not change by itself.
    poll_every: str

    @property
    def poll_url(self) -> str:
        """The URL for a poll of the operation's page."""
        return f"{self.url}{'&' if '?' in self.url else '?'}poll=1"

    @property
    def banner(self) -> Banner:
        message = self.message
        return Banner(
            tone=_BANNER_TONES[message.tone],
            title=message.title,
            sentence=message.sentence,
            next_step=message.next_step,
        )


def make_operation_texts(
    operation: Operation,
    *,
    now: datetime,
    zone: ZoneInfo,
    undo: UndoForm | None = None,
    next_url: str = "",
    is_worker_missing: bool = False,
) -> OperationTexts:
    """Return an operation as texts.

    `undo` is the form that undoes it, None if the viewer may not or services.may_undo_extension
    forbids it.
    """
    return OperationTexts(
        id=operation.id,
        url=operation_url(operation, next_url),
        action=operation.action,
        name=operation_name(operation),
        message=outcome_message(operation, now=now, zone=zone, is_worker_missing=is_worker_missing),
        who=operation.actor_name,
        requested=_time_element(operation.created_at, zone),
        sent=formats.time_element(operation.sent_at, zone),
        closed=formats.time_element(operation.closed_at, zone),
        reason=_REASONS.get(operation.reason, operation.reason),
        note=operation.note,
        ticket=operation.ticket,
        ticket_url=ticket_link(operation.ticket),
        change=change_text(operation, zone),
        is_open=operation.is_open,
        needs_human=operation.state == State.NEEDS_HUMAN,
        undo=undo,
        undoes_url=_undoes_url(operation, next_url),
        job=_job_link(operation),
        again_url=retry_url(operation, next_url),
        is_change_in_message=is_confirmed_by_goody(operation)
        and operation.expiration is not None
        and operation.contradicted_at is None,
        is_cancel=operation.action == Action.ORDER_CANCEL,
        poll_every=poll_interval(operation, now),
    )


def poll_interval(operation: Operation, now: datetime) -> str:
    """Return the polling interval for htmx: short for some minutes, then long.

    It is "" for an operation that waits for a person.
    """
    is_pending = (
        operation.is_open or operation.awaits_read_after_refusal or _is_record_unread(operation)
    )
    if not is_pending or operation.state == State.NEEDS_HUMAN:
        return ""
    return "2s" if now - operation.created_at < _FREQUENT_POLLING else POLL_SELDOM


def _is_record_unread(operation: Operation) -> bool:
    """Whether a lead recorded the outcome by hand and the order has not been read since."""
    is_unread = operation.contradicted_at is None and operation.due_at is not None
    return operation.is_recorded_by_hand_only and is_unread


def poll_token(
    operation: Operation | None, now: datetime, *, job: BlockingJob | None = None
) -> str:
    """Return a token of the shown state of an unfinished operation, or else of the blocking job.

    A poll with the same token gets a 204.
    """
    if operation is None:
        return f"job-{job.number}" if job else "settled"
    return f"{operation.state}-{poll_interval(operation, now)}"


def _time_element(at: datetime, zone: ZoneInfo) -> TimeElement:
    return TimeElement(formats.iso_utc(at), formats.date_time(at, zone))


def operation_name(operation: Operation) -> str:
    if operation.undoes_id:
        return "Undo change of expiration"
    return NAMES.get(Action(operation.action), operation.action)


def ticket_link(text: str) -> str:
    """Return the URL of a ticket if it is safe as a link, else ""."""
    return text if text.lower().startswith(("https://", "http://")) else ""


def operation_url(operation: Operation, next_url: str = "") -> str:
    url = reverse("operation", args=[operation.order_uuid, operation.id])
    return with_next_url(url, next_url)


def _undoes_url(operation: Operation, next_url: str) -> str:
    if operation.undoes_id is None:
        return ""
    return with_next_url(
        reverse("operation", args=[operation.order_uuid, operation.undoes_id]), next_url
    )


def _job_link(operation: Operation) -> Link | None:
    if operation.job is None:
        return None
    return Link(f"Job {operation.job.number}", reverse("job", args=[operation.job_id]))


def undo_form(operation: Operation, order: Order, next_url: str = "") -> UndoForm:
    """Return the form that undoes an extension of the order as it is shown."""
    return UndoForm(
        url=reverse("operation_undo", args=[operation.order_uuid, operation.id]),
        form_key=str(uuid4()),
        snapshot=sign_snapshot(order.id, eligibility.order_snapshot(order)),
        next_url=next_url,
    )


def retry_url(operation: Operation, next_url: str = "") -> str:
    """Return the URL of the dialog with the input of an operation that was not applied.

    Return "" for other operations.
    """
    if operation.state != State.NOT_APPLIED or operation.effect_seen_at is not None:
        return ""
    if operation.action == Action.ORDER_CANCEL:
        return with_next_url(reverse("order_cancel", args=[operation.order_uuid]), next_url)
    query = {"again": str(operation.id)} | ({"next": next_url} if next_url else {})
    return f"{reverse('order_expiration', args=[operation.order_uuid])}?{urlencode(query)}"


def with_next_url(url: str, next_url: str) -> str:
    """Return the URL with the list to return to as parameter."""
    return f"{url}?{urlencode({'next': next_url})}" if next_url else url


def change_text(operation: Operation, zone: ZoneInfo) -> str:
    """Return the requested change: "12 Mar 2026, 23:59 EDT → 26 Mar 2026, 23:59 EDT".

    For a cancel it is the status before and after if both are known.
    """
    if operation.expiration is not None:
        before = _expiration_before(operation)
        before_text = formats.date_time(before, zone) if before else "no expiration"
        return f"{before_text} → {formats.date_time(operation.expiration, zone)}"
    old, new = _status(operation.before), _status(operation.after)
    if not old or not new:
        return ""
    is_canceled = operation.state == State.APPLIED
    new_name = formats.status_name(new, is_cancel_on_record=is_canceled)
    return f"{formats.status_name(old)} → {new_name}"


def _expiration_before(operation: Operation) -> datetime | None:
    """Return the expiration before the change, from the read before the POST or the dialog."""
    shown = (operation.before or {}).get("expires_at")
    return operation.expires_before or (datetime.fromisoformat(shown) if shown else None)


def _status(values: Any) -> str:
    status = values.get("status") if isinstance(values, dict) else None
    return str(status) if status else ""


@dataclass(frozen=True, slots=True)
class OperationNotice:
    """A link to an operation whose page the person should open again."""

    url: str
    text: str


def make_notice(operation: Operation, *, now: datetime, zone: ZoneInfo) -> OperationNotice:
    """Return the notice: "Cancel gift of 28 Nov 2026, 14:02 UTC: Canceled at Goody"."""
    asked = formats.date_time(operation.created_at, zone)
    title = outcome_message(operation, now=now, zone=zone).title
    return OperationNotice(
        operation_url(operation), f"{operation_name(operation)} of {asked}: {title}"
    )


_BEING_SENT = (State.PLANNED, State.WAITING, State.SENDING)


def pending_write_sentence(operation: Operation, *, now: datetime, zone: ZoneInfo) -> str:
    """Return a sentence about the write that is in progress.

    It is "Ana is canceling this gift (14:02 EST)."; without an answer of Goody "Ana asked to cancel
    this gift (14:02 EST); the outcome is being checked."; for an operation that reads closed "Ana
    asked to … (14:02 EST)."
    """
    doing, asked, what = _VERBS[Action(operation.action)]
    suffix = _UNKNOWN_SUFFIX.get(State(operation.state), "")
    at = request_time_text(operation, now=now, zone=zone)
    verb = doing if operation.state in _BEING_SENT else asked
    return f"{operation.actor_name} {verb} {what} ({at}){suffix}."


def request_time_text(operation: Operation, *, now: datetime, zone: ZoneInfo) -> str:
    """Return the time of the request, with the day unless it is today: "14:02 EST"."""
    at = operation.created_at
    if formats.day(at, zone) != formats.day(now, zone):
        return formats.date_time(at, zone)
    return f"{formats.hour_and_minute(at, zone)} {formats.zone_name(at, zone)}"


# How long the order shows an operation that ended without effect.
_FAILURE_SHOWN = timedelta(minutes=15)
_WITHOUT_EFFECT = (State.REFUSED, State.NOT_SENT, State.NOT_APPLIED, State.SUPERSEDED)


def recent_failure(operations: Sequence[Operation], now: datetime) -> Operation | None:
    """Return the newest operation if it has just ended without effect, else None.

    A failure is shown on the page, never as a toast, and at least until its order was read.
    """
    newest = operations[0] if operations else None
    if newest is None or newest.closed_at is None or newest.state not in _WITHOUT_EFFECT:
        return None
    is_recent = now - newest.closed_at < _FAILURE_SHOWN
    return newest if is_recent or newest.awaits_read_after_refusal else None


def format_in_both_zones(at: datetime | None, zone: ZoneInfo) -> str:
    """Return the time in the viewer's zone and in UTC.

    "26 Mar 2026, 23:59 EDT (27 Mar 2026, 03:59 UTC)"; only one if both are equal.
    """
    if at is None:
        return "no expiration"
    local = formats.date_time(at, zone)
    utc = formats.date_time(at, _UTC)
    if local == utc:
        return local
    if formats.day(at, zone) == formats.day(at, _UTC):
        utc = f"{formats.hour_and_minute(at, _UTC)} UTC"
    return f"{local} ({utc})"
