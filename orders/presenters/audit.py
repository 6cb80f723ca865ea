"""The audit page: its filters, and its rows, each an intent with its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.forms import BoundField
from django.urls import reverse

from orders import formats
from orders.audit import (
    ACCOUNT_NAMES,
    NAMES,
    REASONS,
    Action,
)
from orders.forms.audit import AuditFilter
from orders.models import AuditEntry, Operation
from orders.outcome_message import OutcomeMessage, Tone
from orders.outcomes import is_confirmed_by_goody, outcome_message

from .job_texts import job_name
from .operations import change_text, operation_name, operation_url, ticket_link
from .status import Badge

_REASONS = dict(REASONS)
_NAMES = {action.value: name for action, name in (*NAMES.items(), *ACCOUNT_NAMES.items())}


def audit_scope_text(*, sees_all: bool, order: str, zone: str) -> str:
    """Return a sentence about the entries on the page: whose they are, and the zone of their times.

    `order` is the filter by an order.
    """
    whose = "Everybody’s entries" if sees_all else "Your own entries; those of an order are for all"
    if order:
        whose = "Everybody’s entries about this order"
    return f"{whose} · {zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterButton:
    """A button that shows an audit filter. `value` is a text, "" if the filter is not active."""

    label: str
    fields: list[BoundField]
    value: str
    remove_url: str
    is_wrong: bool


_BUTTONS = {
    "Who": ("person",),
    "What": ("action",),
    "Order": ("order",),
    "Job": ("job",),
    "When": ("after", "before"),
    "Outcome": ("outcome",),
}


def audit_filters(form: AuditFilter, url_without: Callable[..., str]) -> list[FilterButton]:
    """Return the filters of a validated form, in the order of the page.

    `url_without(*names)` is the URL of the page without these parameters.
    """
    names = {label: [one for one in of if one in form.fields] for label, of in _BUTTONS.items()}
    return [_button(form, label, of, url_without) for label, of in names.items() if of]


def _button(
    form: AuditFilter, label: str, names: Sequence[str], url_without: Callable[..., str]
) -> FilterButton:
    return FilterButton(
        label=label,
        fields=[form[name] for name in names],
        value=_value_in_words(form, names),
        remove_url=url_without(*names),
        is_wrong=any(name in form.errors for name in names),
    )


def _value_in_words(form: AuditFilter, names: Sequence[str]) -> str:
    valid = {name: form.cleaned_data.get(name) for name in names}
    if "after" in valid:
        return _period(valid["after"], valid["before"])
    [(name, value)] = valid.items()
    choices = dict(getattr(form.fields[name], "choices", ()))
    return str(choices.get(str(value), value)) if value else ""


def _period(first: date | None, last: date | None) -> str:
    if first and last:
        days = dict.fromkeys(map(formats.date_in_words, (first, last)))
        return " – ".join(days)
    if first:
        return f"from {formats.date_in_words(first)}"
    return f"until {formats.date_in_words(last)}" if last else ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    when: str
    when_title: str
    when_iso: str
    who: str
    # Two people may have one name.
    user_name: str
    action: str
    order: str
    order_title: str
    order_url: str
    # The job that the entry is about, or of which it is an item; "" if none.
    job: str
    job_url: str
    reason: str
    note: str
    ticket: str
    ticket_url: str
    change: str
    outcome: str
    # The outcome of a write that is not known or that was not carried out.
    badge: Badge | None
    outcome_detail: str
    operation_url: str
    settled_by: str


def audit_rows(entries: Sequence[AuditEntry], *, now: datetime, zone: ZoneInfo) -> list[AuditRow]:
    """Return the rows of the audit page.

    `entries` are intents with their operation and outcomes prefetched.
    """
    return [_row(entry, now, zone) for entry in entries]


def _row(entry: AuditEntry, now: datetime, zone: ZoneInfo) -> AuditRow:
    return AuditRow(
        id=entry.pk,
        when=formats.compact_date_time(entry.at, now, zone),
        when_title=formats.date_time(entry.at, zone),
        when_iso=formats.iso_utc(entry.at),
        who=entry.actor_name,
        user_name=entry.actor.get_username() if entry.actor else "",
        action=operation_name(entry.operation) if entry.operation else action_name(entry.action),
        note=entry.note,
        reason=_REASONS.get(entry.reason, entry.reason),
        ticket=entry.ticket,
        ticket_url=ticket_link(entry.ticket),
        change=change_text(entry.operation, zone) if entry.operation else "",
        settled_by=_settled_by(entry),
        **_order(entry),
        **_job(entry),
        **_outcome(entry, now, zone),
    )


def action_name(action: str) -> str:
    """Return the label of an action: "Cancel gift"; "Security: cross site" for a security event."""
    if action.startswith("security."):
        return f"Security: {action.removeprefix('security.').replace('_', ' ')}"
    return _NAMES.get(action, action)


def _order(entry: AuditEntry) -> dict[str, Any]:
    if entry.order_uuid is None:
        return {"order": "", "order_title": "", "order_url": ""}
    return {
        "order": formats.shorten_id(entry.reference_id) or formats.id_prefix(entry.order_uuid),
        "order_title": entry.reference_id or str(entry.order_uuid),
        "order_url": reverse("order_detail", args=[entry.order_uuid]),
    }


def _job(entry: AuditEntry) -> dict[str, Any]:
    if entry.job is None:
        return {"job": "", "job_url": ""}
    return {"job": job_name(entry.job), "job_url": reverse("job", args=[entry.job.pk])}


def _outcome(entry: AuditEntry, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return the cells that describe the outcome.

    Operations use the sentences of orders.outcomes. Other actions have a detail, and actions that
    take time also the detail of their end.
    """
    if entry.operation is None:
        ends = [end.detail for end in entry.outcomes.all()]
        return {
            "outcome": entry.detail,
            "badge": None,
            "outcome_detail": ends[0] if ends else "",
            "operation_url": "",
        }
    message = outcome_message(entry.operation, now=now, zone=zone)
    return {
        "outcome": message.title,
        "badge": _badge(entry.operation, message),
        # A confirmed change has its own column.
        "outcome_detail": "" if _is_told_by_change(entry.operation) else message.sentence,
        "operation_url": operation_url(entry.operation),
    }


def _badge(operation: Operation, message: OutcomeMessage) -> Badge | None:
    if operation.is_open:
        return Badge("warn", "clock", message.title)
    return Badge("bad", "alert", message.title) if message.tone == Tone.BAD else None


def _is_told_by_change(operation: Operation) -> bool:
    return is_confirmed_by_goody(operation) and operation.contradicted_at is None


def _settled_by(entry: AuditEntry) -> str:
    found = settlement_entry(entry.outcomes.all())
    return f"{found.actor_name}: {found.note}" if found else ""


def settlement_entry(outcomes: Iterable[AuditEntry]) -> AuditEntry | None:
    """Return the entry by which a lead settled an operation by hand, or None.

    The note of the entry states what the lead saw.
    """
    return next((one for one in outcomes if one.action == Action.OPERATION_SETTLE), None)
