"""The words for the outcome of a write, as pure functions; no other module has any.

Every sentence is true for its state and claims nothing beyond it. The title "Canceled" is used for
`applied` alone, "Not canceled" only where Goody refused, no byte left, or reads proved it. That our
request did it is said only where Goody itself confirmed it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from goody.types import CANCELABLE

from . import formats
from .audit import Action
from .eligibility import SUPPORT, compare_facts
from .models import BY_HAND, Operation, State


class Tone(StrEnum):
    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class OutcomeMessage:
    """`is_final`: the program will not change this operation any more."""

    tone: Tone
    title: str
    sentence: str
    next_step: str
    is_final: bool


@dataclass(frozen=True)
class _Words:
    """Titles of an action. `found`: Goody shows what was requested; the cause is not known.
    `otherwise`: Goody confirmed it and shows something else later. `recorded`: a lead recorded it.
    """

    done: str
    doing: str
    not_done: str
    found: str
    otherwise: str
    recorded: str


# Nothing is known of the order itself, only that this attempt had no effect.
NOT_CARRIED_OUT = "This attempt was not carried out"

_WORDS = {
    Action.ORDER_CANCEL: _Words(
        "Canceled",
        "Canceling",
        "Not canceled",
        "Canceled at Goody",
        "Canceled, but a read showed otherwise",
        "Marked as canceled",
    ),
    Action.ORDER_EXTEND: _Words(
        "Expiration changed",
        "Changing the expiration",
        "Not changed",
        "Changed at Goody",
        "Changed, but a read showed otherwise",
        "Marked as changed",
    ),
}


_BEING_CHECKED = "Outcome being checked"
_NOT_MEANWHILE = "Do not repeat it elsewhere meanwhile."
_UPDATES = "This page updates by itself."
NO_WORKER = (
    "No worker is running, so the order is not read at present: tell an admin. Opening the order's "
    "page reads it too."
)


def outcome_message(
    operation: Operation, *, now: datetime, zone: ZoneInfo, is_worker_missing: bool = False
) -> OutcomeMessage:
    """The message about this operation at this moment, with times in the viewer's zone."""
    message = _message(operation, now=now, zone=zone)
    if not is_worker_missing:
        return message
    step = message.next_step.replace(_UPDATES, "").strip()
    return replace(message, next_step=f"{step} {NO_WORKER}".strip())


def _message(operation: Operation, *, now: datetime, zone: ZoneInfo) -> OutcomeMessage:
    words = _WORDS[Action(operation.action)]
    if operation.state != State.APPLIED and operation.effect_seen_at is not None:
        return _found_later(operation, words, zone)
    return _message_by_state(operation, words, now=now, zone=zone)


def _message_by_state(
    operation: Operation, words: _Words, *, now: datetime, zone: ZoneInfo
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
            return _refused(operation, words, now=now, zone=zone)
        case State.NOT_SENT:
            return _not_sent(operation, words)
        case State.NOT_APPLIED:
            return _not_applied(operation, words)
        case State.SUPERSEDED:
            return _superseded(operation, zone)


def _busy(title: str, sentence: str) -> OutcomeMessage:
    return OutcomeMessage(Tone.BUSY, f"{title}…", sentence, _UPDATES, False)


def _unknown(operation: Operation, *, now: datetime, zone: ZoneInfo) -> OutcomeMessage:
    why = operation.detail or "Goody's answer did not arrive."
    parts = (
        _sentence(why),
        _shown_meanwhile(operation, zone),
        "Whether the change reached Goody is found out by reading the order.",
        blocked_until(operation, now=now, zone=zone),
    )
    return OutcomeMessage(
        Tone.BUSY,
        _BEING_CHECKED,
        " ".join(filter(None, parts)),
        f"{_NOT_MEANWHILE} {_UPDATES}",
        False,
    )


def _shown_meanwhile(operation: Operation, zone: ZoneInfo) -> str:
    """The other expiration that a read showed while the request may still take effect."""
    if operation.expiration is None or operation.after is None:
        return ""
    return f"A read shows another expiration, {_shown_expiration(operation.after, zone)}."


def blocked_until(operation: Operation, *, now: datetime, zone: ZoneInfo) -> str:
    """Until when the order takes no other write because this one may still take effect.

    A worker ends this by its monotonic clock: the time is given only if the wall clock agrees.
    """
    sent_at, until = operation.sent_at, operation.may_take_effect_until
    if sent_at is None or until is None or not operation.may_land:
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
        "Needs a person",
        why,
        "A lead looks at the order on Goody's own page and records here what it shows.",
        False,
    )


def _applied(operation: Operation, words: _Words, zone: ZoneInfo) -> OutcomeMessage:
    if operation.contradicted_at is not None:
        return _contradicted(operation, words, zone)
    if operation.is_only_recorded:
        sentence = f"{operation.detail} No read of the order has shown it yet."
        return OutcomeMessage(Tone.NEUTRAL, words.recorded, sentence, "", True)
    if operation.failure_kind == BY_HAND and not is_confirmed(operation):
        sentence = " ".join(filter(None, (_change(operation, zone), operation.detail)))
    elif is_confirmed(operation):
        sentence = _change(operation, zone) or "Goody confirmed it."
    else:
        sentence = _perhaps_ours(operation, zone)
    return OutcomeMessage(Tone.GOOD, words.done, sentence, "", True)


def _change(operation: Operation, zone: ZoneInfo) -> str:
    """ "Changed from … to ….", "" for a cancel."""
    if operation.action != Action.ORDER_EXTEND:
        return ""
    was, to = _when(operation.expires_before, zone), _when(operation.expiration, zone)
    return f"Changed from {was} to {to}."


def _perhaps_ours(operation: Operation, zone: ZoneInfo) -> str:
    """What is known when a read, and not Goody's answer, showed the order as requested."""
    seen = f" since {_when(operation.effect_seen_at, zone)} at the latest"
    request = f"our request of {_when(operation.sent_at, zone)}" if operation.sent_at else "us"
    what = "Canceled at Goody"
    if operation.action == Action.ORDER_EXTEND:
        what = f"Goody shows the expiration {_when(operation.expiration, zone)}"
    since = seen if operation.effect_seen_at else ""
    return f"{what}{since}, perhaps by {request}, perhaps by somebody else."


def _contradicted(operation: Operation, words: _Words, zone: ZoneInfo) -> OutcomeMessage:
    shown = operation.contradiction or {}
    read = f"a read at {_when(operation.contradicted_at, zone)} showed"
    if operation.action == Action.ORDER_EXTEND:
        what = f"{_shown_expiration(shown, zone)} instead of {_when(operation.expiration, zone)}"
    else:
        what = f"the order as “{formats.status_name(str(shown.get('status')))}”"
    title = words.otherwise
    if is_confirmed(operation):
        before = "Goody confirmed it, but"
    elif operation.failure_kind == BY_HAND:
        title = f"{words.recorded}, but Goody does not show it"
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


def _found_later(operation: Operation, words: _Words, zone: ZoneInfo) -> OutcomeMessage:
    """Closed without proof, and a later read shows the order as requested."""
    sentence = _perhaps_ours(operation, zone)
    if operation.failure_kind == "rejected" and operation.detail:
        sentence = f"{sentence} Goody refused the request: {_sentence(operation.detail)}"
    return OutcomeMessage(Tone.NEUTRAL, words.found, sentence, "", True)


def is_confirmed(operation: Operation) -> bool:
    """Whether Goody's own answer to the request proved it."""
    return operation.state == State.APPLIED and operation.confirmed_at is not None


def _not_applied(operation: Operation, words: _Words) -> OutcomeMessage:
    status = (operation.after or {}).get("status")
    next_step = "You may try again."
    if operation.failure_kind == BY_HAND:
        sentence = operation.detail
    elif status and status not in CANCELABLE:
        shown = formats.status_name(status)
        sentence = f"Goody gave no clear answer. A later read shows the order as “{shown}”."
        next_step = "Look at the order."
    else:
        sentence = (
            "Goody gave no clear answer. The order was read again several times, "
            "and the change did not arrive."
        )
    return OutcomeMessage(Tone.NEUTRAL, words.not_done, sentence, next_step, True)


def _refused(
    operation: Operation, words: _Words, *, now: datetime, zone: ZoneInfo
) -> OutcomeMessage:
    sentence, next_step = _why_refused(operation, now=now, zone=zone)
    if operation.sent_at is not None:
        sentence = f"{sentence} {_shown_after_refusal(operation, zone)}".strip()
    if operation.is_refusal_unread:
        # Goody asked to wait: a read comes before another attempt.
        step = "" if operation.failure_kind == "rate_limited" else next_step
        wait = f"{step} {_NOT_MEANWHILE}".strip()
        return OutcomeMessage(Tone.BUSY, _BEING_CHECKED, sentence, wait, False)
    return OutcomeMessage(Tone.BAD, _title_of_refusal(operation, words), sentence, next_step, True)


def _shown_after_refusal(operation: Operation, zone: ZoneInfo) -> str:
    """What the read that follows a refused POST shows, where it is not as before."""
    if operation.is_refusal_unread:
        return "Whether the order has changed is found out by reading it."
    if operation.after is None:
        return "A read afterwards did not find the order."
    status, accepted_at = operation.after.get("status"), operation.after.get("accepted_at")
    if accepted_at:
        at = _when(datetime.fromisoformat(accepted_at), zone)
        return f"The recipient accepted it at {at}."
    if status in CANCELABLE and operation.failure_kind != "not_found":
        return ""
    return f"A read afterwards shows the order as “{formats.status_name(str(status))}”."


def _title_of_refusal(operation: Operation, words: _Words) -> str:
    """ "Not canceled" would be false for an order that somebody else has canceled."""
    if operation.failure_kind == "ended":
        return "Already canceled or failed"
    is_unread = operation.sent_at is not None and operation.after is None
    if is_unread or operation.failure_kind in ("rejected", "forbidden"):
        return "Refused by Goody"
    if operation.failure_kind in ("unknown_status", "not_found") or _may_have_ended(operation):
        return NOT_CARRIED_OUT
    return words.not_done


def _may_have_ended(operation: Operation) -> bool:
    """Whether the POST was refused and the read afterwards shows no order that can be canceled."""
    status = (operation.after or {}).get("status")
    return operation.sent_at is not None and status not in CANCELABLE


def _why_refused(operation: Operation, *, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    match operation.failure_kind:
        case "accepted":
            return _accepted(operation, zone), f"Ask Goody support ({SUPPORT})."
        case "moved":
            return _moved(operation, zone), "Look at the order, then decide again."
        case "rate_limited":
            return _asked_to_wait(operation, now=now, zone=zone)
        case "key_rejected":
            # Admins see on the system page that the key is the reason.
            return (
                "This dashboard had no working connection to Goody.",
                "Tell an admin: the system page says why. Changes are off until it works.",
            )
        case "not_found":
            return (
                "Goody answered that it does not know this order, or that this key may not see it.",
                "Look at the order."
                if operation.after
                else "Check that this is the right environment.",
            )
        case "forbidden":
            said = f"Goody does not allow this for this key: {_sentence(operation.detail)}"
            return said, "Tell an admin."
        case "rejected":
            return f"Goody refused: {_sentence(operation.detail)}", "Look at the order again."
        case _:
            return f"{_sentence(operation.detail)} Nothing was sent.", ""


def _moved(operation: Operation, zone: ZoneInfo) -> str:
    """The difference to what the dialog showed, with times in the viewer's zone."""
    found = compare_facts(operation.before or {}, operation.after or {}, zone=zone)
    words = "; ".join(str(one) for one in found)
    what = f"The order changed since you looked. {words}." if words else operation.detail
    return f"{what} Nothing was sent."


def _accepted(operation: Operation, zone: ZoneInfo) -> str:
    accepted_at = (operation.after or {}).get("accepted_at")
    if accepted_at:
        at = _when(datetime.fromisoformat(accepted_at), zone)
        return f"The recipient accepted it at {at}. Nothing was sent."
    return f"{operation.detail} Nothing was sent."


def _asked_to_wait(operation: Operation, *, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    until = datetime.fromisoformat(operation.detail)
    clock = f"{formats.time_of_day(until, zone)} {formats.zone_name(until, zone)}"
    if until <= now:
        return f"Goody asked us to wait until {clock}.", "You may try again."
    return f"Goody asks us to wait until {clock}.", "Try again after that."


def _not_sent(operation: Operation, words: _Words) -> OutcomeMessage:
    if operation.failure_kind == "tls":
        why, next_step = "The secure connection to Goody failed", "Tell an admin."
    elif operation.failure_kind == "lease":
        why, next_step = "The attempt was interrupted before anything left", "You may try again."
    elif operation.failure_kind == "not_configured":
        why, next_step = "The connection to Goody is not set up", "Tell an admin."
    elif operation.failure_kind == "not_recorded":
        why, next_step = "The attempt could not be recorded", "You may try again."
    elif operation.failure_kind in ("dns", "connect"):
        why, next_step = "Goody is unreachable", "You may try again."
    else:
        why, next_step = operation.detail or "Goody could not be asked", "You may try again."
    sentence = f"{_sentence(why)} Nothing was sent."
    return OutcomeMessage(Tone.BAD, words.not_done, sentence, next_step, True)


def _superseded(operation: Operation, zone: ZoneInfo) -> OutcomeMessage:
    old, asked = _when(operation.expires_before, zone), _when(operation.expiration, zone)
    new = _shown_expiration(operation.after or {}, zone)
    # Another person set it, or Goody itself in answer to this request.
    return OutcomeMessage(
        Tone.NEUTRAL,
        "Another expiration was set",
        f"A later read shows {new}: neither what it was ({old}) nor what was asked for ({asked}).",
        "Look at the order, then decide again.",
        True,
    )


def _shown_expiration(shown: dict[str, Any], zone: ZoneInfo) -> str:
    text = shown.get("expires_at")
    return _when(datetime.fromisoformat(text) if text else None, zone)


def _when(at: datetime | None, zone: ZoneInfo) -> str:
    return "no expiration" if at is None else formats.date_time(at, zone)


def _sentence(text: str) -> str:
    """A clause of the client or of Goody as a sentence."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."
