"""The texts about the outcome of a write, as pure functions. No other module has such texts.

Every sentence is true for its state and claims nothing beyond it. The title "Canceled" is used only
for `applied`, "Not canceled" only if Goody refused, no byte was sent, or reads proved it. Only
after a confirmation by Goody does a sentence name our request as the cause.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from goody.types import CANCELABLE

from . import formats
from .audit import Action
from .models import BY_HAND, Operation, State
from .outcome_message import (
    BEING_CHECKED,
    NEEDS_HUMAN,
    NO_WORKER,
    NOT_MEANWHILE,
    UPDATES_BY_ITSELF,
    ActionTitles,
    OutcomeMessage,
    Tone,
    action_titles,
    as_sentence,
    shown_expiration_text,
    time_or_no_expiration,
)
from .refusals import not_sent_message, refused_message


def outcome_message(
    operation: Operation, *, now: datetime, zone: ZoneInfo, is_worker_missing: bool = False
) -> OutcomeMessage:
    """Return the message about the operation as of `now`, with times in the viewer's zone."""
    message = _message(operation, now=now, zone=zone)
    if not is_worker_missing:
        return message
    step = message.next_step.replace(UPDATES_BY_ITSELF, "").strip()
    return replace(message, next_step=f"{step} {NO_WORKER}".strip())


def _message(operation: Operation, *, now: datetime, zone: ZoneInfo) -> OutcomeMessage:
    words = action_titles(operation)
    if operation.state != State.APPLIED and operation.effect_seen_at is not None:
        return _found_later(operation, words, zone)
    return _message_by_state(operation, words, now=now, zone=zone)


def _message_by_state(
    operation: Operation, words: ActionTitles, *, now: datetime, zone: ZoneInfo
) -> OutcomeMessage:
    match State(operation.state):
        case State.PLANNED | State.WAITING:
            return _busy(words.doing, "It has not been sent to Goody yet.")
        case State.SENDING:
            return _busy(words.doing, "Goody has been asked; the answer is awaited.")
        case State.UNKNOWN:
            return _unknown(operation, now=now, zone=zone)
        case State.NEEDS_HUMAN:
            return _needs_human(operation)
        case State.APPLIED:
            return _applied(operation, words, zone)
        case State.REFUSED:
            return refused_message(operation, words, now=now, zone=zone)
        case State.NOT_SENT:
            return not_sent_message(operation, words)
        case State.NOT_APPLIED:
            return _not_applied(operation, words)
        case State.SUPERSEDED:
            return _superseded(operation, zone)


def _busy(title: str, sentence: str) -> OutcomeMessage:
    return OutcomeMessage(Tone.BUSY, f"{title}…", sentence, UPDATES_BY_ITSELF, False)


def _unknown(operation: Operation, *, now: datetime, zone: ZoneInfo) -> OutcomeMessage:
    why = operation.detail or "Goody's answer did not arrive."
    parts = (
        as_sentence(why),
        _shown_meanwhile(operation, zone),
        "Whether the change reached Goody is found out by reading the order.",
        blocked_writes_sentence(operation, now=now, zone=zone),
    )
    return OutcomeMessage(
        Tone.BUSY,
        BEING_CHECKED,
        " ".join(filter(None, parts)),
        f"{NOT_MEANWHILE} {UPDATES_BY_ITSELF}",
        False,
    )


def _shown_meanwhile(operation: Operation, zone: ZoneInfo) -> str:
    """Return the other expiration that a read showed while the request may still take effect."""
    if operation.expiration is None or operation.after is None:
        return ""
    return f"A read showed another expiration, {shown_expiration_text(operation.after, zone)}."


def blocked_writes_sentence(operation: Operation, *, now: datetime, zone: ZoneInfo) -> str:
    """Return a sentence with the time until which this write may still take effect.

    A worker ends this period by its monotonic clock. The time is left out if it has passed by the
    wall clock.
    """
    sent_at, until = operation.sent_at, operation.may_take_effect_until
    if sent_at is None or until is None or not operation.may_take_effect:
        return ""
    if not sent_at <= now < until:
        return "It may still take effect; the order takes no other change until that is ruled out."
    at = f"{formats.time_of_day(until, zone)} {formats.zone_name(until, zone)}"
    return f"It may still take effect until {at}; the order takes no other change before that."


def _needs_human(operation: Operation) -> OutcomeMessage:
    if operation.failure_kind == "contradiction":
        why = "Goody's answer contradicted the request, and reading the order did not settle it."
    else:
        # The reads failed, or settled nothing.
        why = "No read of the order has settled the outcome."
    return OutcomeMessage(
        Tone.BAD,
        NEEDS_HUMAN,
        why,
        "A lead looks at the order on Goody's own page and records here what it shows.",
        False,
    )


def _applied(operation: Operation, words: ActionTitles, zone: ZoneInfo) -> OutcomeMessage:
    if operation.contradicted_at is not None:
        return _contradicted(operation, words, zone)
    if operation.is_recorded_by_hand_only:
        sentence = f"{operation.detail} No read of the order has shown it yet."
        return OutcomeMessage(Tone.NEUTRAL, words.recorded, sentence, "", True)
    if operation.failure_kind == BY_HAND and not is_confirmed_by_goody(operation):
        sentence = " ".join(filter(None, (_change(operation, zone), operation.detail)))
    elif is_confirmed_by_goody(operation):
        sentence = _change(operation, zone) or "Goody confirmed it."
    else:
        sentence = _perhaps_ours(operation, zone)
    return OutcomeMessage(Tone.GOOD, words.done, sentence, "", True)


def _change(operation: Operation, zone: ZoneInfo) -> str:
    """Return "Changed from … to …."; "" for a cancel."""
    if operation.action != Action.ORDER_EXTEND:
        return ""
    was, to = (
        time_or_no_expiration(operation.expires_before, zone),
        time_or_no_expiration(operation.expiration, zone),
    )
    return f"Changed from {was} to {to}."


def _perhaps_ours(operation: Operation, zone: ZoneInfo) -> str:
    """Return the sentence for a change that a read showed and Goody did not confirm."""
    seen = f" since {time_or_no_expiration(operation.effect_seen_at, zone)} at the latest"
    request = (
        f"our request of {time_or_no_expiration(operation.sent_at, zone)}"
        if operation.sent_at
        else "us"
    )
    what = "Canceled at Goody"
    if operation.action == Action.ORDER_EXTEND:
        what = f"Goody shows the expiration {time_or_no_expiration(operation.expiration, zone)}"
    since = seen if operation.effect_seen_at else ""
    return f"{what}{since}, perhaps by {request}, perhaps by somebody else."


def _contradicted(operation: Operation, words: ActionTitles, zone: ZoneInfo) -> OutcomeMessage:
    shown = operation.contradiction or {}
    read = f"a read at {time_or_no_expiration(operation.contradicted_at, zone)} showed"
    if operation.action == Action.ORDER_EXTEND:
        wanted = time_or_no_expiration(operation.expiration, zone)
        what = f"{shown_expiration_text(shown, zone)} instead of {wanted}"
    else:
        what = f"the order as “{formats.status_name(str(shown.get('status')))}”"
    title = words.otherwise
    if is_confirmed_by_goody(operation):
        before = "Goody confirmed it, but"
    elif operation.failure_kind == BY_HAND:
        title = f"{words.recorded}, but a read did not show it"
        before = f"{operation.detail} But"
    else:
        before = "It was found done, but"
    return OutcomeMessage(
        Tone.BAD,
        title,
        f"{before} {read} {what}. Somebody else may have changed it since.",
        "Look at the order, then decide again.",
        True,
    )


def _found_later(operation: Operation, words: ActionTitles, zone: ZoneInfo) -> OutcomeMessage:
    """Return the message of an operation that was closed without proof, and that a later read
    shows as carried out.
    """
    sentence = _perhaps_ours(operation, zone)
    if operation.failure_kind == "rejected" and operation.detail:
        sentence = f"{sentence} Goody refused the request: {as_sentence(operation.detail)}"
    return OutcomeMessage(Tone.NEUTRAL, words.found, sentence, "", True)


def is_confirmed_by_goody(operation: Operation) -> bool:
    """Whether Goody's answer to the request confirmed the operation."""
    return operation.state == State.APPLIED and operation.confirmed_at is not None


def _not_applied(operation: Operation, words: ActionTitles) -> OutcomeMessage:
    status = (operation.after or {}).get("status")
    next_step = "You may try again."
    if operation.failure_kind == BY_HAND:
        sentence = operation.detail
    elif status and status not in CANCELABLE:
        shown = formats.status_name(status)
        sentence = f"Goody gave no clear answer. A later read showed the order as “{shown}”."
        next_step = "Look at the order."
    else:
        sentence = (
            "Goody gave no clear answer. The order was read again several times, "
            "and the change did not arrive."
        )
    return OutcomeMessage(Tone.NEUTRAL, words.not_done, sentence, next_step, True)


def _superseded(operation: Operation, zone: ZoneInfo) -> OutcomeMessage:
    old, asked = (
        time_or_no_expiration(operation.expires_before, zone),
        time_or_no_expiration(operation.expiration, zone),
    )
    new = shown_expiration_text(operation.after or {}, zone)
    # Another person set it, or Goody itself in answer to this request.
    return OutcomeMessage(
        Tone.NEUTRAL,
        "Another expiration was set",
        f"A later read showed {new}: neither what it was ({old}) nor what was asked for ({asked}).",
        "Look at the order, then decide again.",
        True,
    )
