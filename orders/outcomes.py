"""What a person is told about a write: the one source of words, pure functions.

Every sentence is true for its state and claims nothing beyond it. "Canceled" is said for
`applied` alone; "not canceled" only where Goody said no, no byte left, or reads proved it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from goody.types import CANCELABLE

from . import formats
from .audit import Action
from .eligibility import SUPPORT, differences
from .models import Operation, State


class Tone(StrEnum):
    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class OutcomeMessage:
    """`is_final`: nothing more is expected to happen to this operation by itself."""

    tone: Tone
    title: str
    sentence: str
    next_step: str
    is_final: bool


@dataclass(frozen=True)
class _Words:
    """The verb of an action in the forms the sentences need."""

    done: str
    doing: str
    not_done: str


# Where nothing is known of the order itself, only that this attempt came to nothing.
NOT_CARRIED_OUT = "This attempt was not carried out"

_WORDS = {
    Action.ORDER_CANCEL: _Words("Canceled", "Canceling", "Not canceled"),
    Action.ORDER_EXTEND: _Words("Expiration changed", "Changing the expiration", "Not changed"),
}


def tell(operation: Operation, *, now: datetime, zone: ZoneInfo) -> OutcomeMessage:
    """What stands on screen about this operation at this moment."""
    words = _WORDS[Action(operation.action)]
    match State(operation.state):
        case State.PLANNED | State.WAITING:
            return _busy(words.doing, "It has not been sent to Goody yet.")
        case State.SENDING:
            return _busy(words.doing, "Goody has been asked; the answer is awaited.")
        case State.UNKNOWN:
            return _unknown(operation)
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
    return OutcomeMessage(Tone.BUSY, f"{title}…", sentence, "This page updates by itself.", False)


def _unknown(operation: Operation) -> OutcomeMessage:
    why = operation.detail or "Goody's answer did not arrive."
    return OutcomeMessage(
        Tone.BUSY,
        "Outcome being checked",
        f"{_sentence(why)} Whether the change reached Goody is found out by reading the order.",
        "Do not repeat it elsewhere meanwhile. This page updates by itself.",
        False,
    )


def _needs_human(operation: Operation) -> OutcomeMessage:
    if operation.failure_kind == "contradiction":
        why = "Goody's answer contradicted the request, and reading the order did not settle it."
    else:
        # Whether reads failed or settled nothing: both leave it open.
        why = "For a long time, no read of the order has settled the outcome."
    return OutcomeMessage(
        Tone.BAD,
        "Needs a person",
        why,
        "A lead looks at the order on Goody's own page and records here what it shows.",
        False,
    )


def _applied(operation: Operation, words: _Words, zone: ZoneInfo) -> OutcomeMessage:
    if operation.action == Action.ORDER_EXTEND:
        was, to = _when(operation.expires_before, zone), _when(operation.expiration, zone)
        sentence = f"Changed from {was} to {to}. {_if_noted(operation)}".strip()
    elif is_confirmed(operation):
        sentence = "Goody confirmed it."
    elif operation.failure_kind == "by_hand":
        sentence = operation.detail
    else:
        # The sender may have canceled it in the same minute; a read cannot tell.
        sentence = "It is canceled at Goody, consistent with this request."
        sentence = f"{sentence} {_if_noted(operation)}".strip()
    return OutcomeMessage(Tone.GOOD, words.done, sentence, "", True)


def is_confirmed(operation: Operation) -> bool:
    """Whether Goody's own answer to the request proved it, and not a later read or a person."""
    return operation.state == State.APPLIED and operation.unknown_at is None


def _if_noted(operation: Operation) -> str:
    """The detail, if it was written when the outcome was found, and not when it was lost."""
    return operation.detail if operation.failure_kind in ("late", "by_hand") else ""


def _not_applied(operation: Operation, words: _Words) -> OutcomeMessage:
    status = (operation.after or {}).get("status")
    next_step = "You may try again."
    if operation.failure_kind == "by_hand":
        sentence = operation.detail
    elif status and status not in CANCELABLE:
        sentence = f"Goody gave no clear answer. A later read shows the order as “{status}”."
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
    return OutcomeMessage(Tone.BAD, _title_of_refusal(operation, words), sentence, next_step, True)


def _title_of_refusal(operation: Operation, words: _Words) -> str:
    """ "Not canceled" would be untrue of an order that somebody else has canceled."""
    if operation.failure_kind == "ended":
        return "Already canceled or failed"
    if operation.failure_kind in ("rejected", "forbidden"):
        return "Refused by Goody"
    if operation.failure_kind in ("unknown_status", "not_found"):
        return NOT_CARRIED_OUT
    return words.not_done


def _why_refused(operation: Operation, *, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    match operation.failure_kind:
        case "accepted":
            return _accepted(operation, zone), f"Ask Goody support ({SUPPORT})."
        case "moved":
            return _moved(operation, zone), "Look at the order, then decide again."
        case "rate_limited":
            return _asked_to_wait(operation, now=now, zone=zone)
        case "key_rejected":
            # Everybody reads this; admins find on the system page that it is the key.
            return (
                "This dashboard had no working connection to Goody.",
                "Tell an admin: the system page says why. Changes are off until it works.",
            )
        case "not_found":
            return (
                "Goody does not know this order, or this key may not see it.",
                "Check that this is the right environment.",
            )
        case "forbidden":
            said = f"Goody does not allow this for this key: {_sentence(operation.detail)}"
            return said, "Tell an admin."
        case "rejected":
            return f"Goody refused: {_sentence(operation.detail)}", "Look at the order again."
        case _:
            return f"{_sentence(operation.detail)} Nothing was sent.", ""


def _moved(operation: Operation, zone: ZoneInfo) -> str:
    """What differs from what the dialog showed, in the zone of whoever reads it."""
    found = differences(operation.before or {}, operation.after or {}, zone=zone)
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
    clock = f"{formats.clock(until, zone)} {formats.zone_name(until, zone)}"
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
    elif operation.failure_kind in ("dns", "connect"):
        why, next_step = "Goody is unreachable", "You may try again."
    else:
        why, next_step = operation.detail or "Goody could not be asked", "You may try again."
    sentence = f"{_sentence(why)} Nothing was sent."
    return OutcomeMessage(Tone.BAD, words.not_done, sentence, next_step, True)


def _superseded(operation: Operation, zone: ZoneInfo) -> OutcomeMessage:
    now_at = (operation.after or {}).get("expires_at")
    old, asked = _when(operation.expires_before, zone), _when(operation.expiration, zone)
    new = _when(datetime.fromisoformat(now_at) if now_at else None, zone)
    # Who set it is not known: another person, or Goody itself in answer to this request.
    return OutcomeMessage(
        Tone.NEUTRAL,
        "Another expiration was set",
        f"A later read shows {new}: neither what it was ({old}) nor what was asked for ({asked}).",
        "Look at the order, then decide again.",
        True,
    )


def _when(at: datetime | None, zone: ZoneInfo) -> str:
    return "no expiration" if at is None else formats.date_time(at, zone)


def _sentence(text: str) -> str:
    """A clause of the client or of Goody as a sentence of its own."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."
