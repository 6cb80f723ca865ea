"""The messages about writes that Goody or the dashboard refused, or that were not sent."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from goody.types import CANCELABLE

from . import formats
from .eligibility import SUPPORT_ADDRESS, compare_snapshots
from .models import Operation
from .outcome_message import (
    BEING_CHECKED,
    NOT_CARRIED_OUT,
    NOT_MEANWHILE,
    ActionTitles,
    OutcomeMessage,
    Tone,
    as_sentence,
    time_or_no_expiration,
)


def refused_message(
    operation: Operation, words: ActionTitles, *, now: datetime, zone: ZoneInfo
) -> OutcomeMessage:
    sentence, next_step = _why_refused(operation, now=now, zone=zone)
    if operation.sent_at is not None:
        sentence = f"{sentence} {_shown_after_refusal(operation, zone)}".strip()
    if operation.awaits_read_after_refusal:
        # Goody asked to wait: the order is read before another attempt.
        step = "" if operation.failure_kind == "rate_limited" else next_step
        wait = f"{step} {NOT_MEANWHILE}".strip()
        return OutcomeMessage(Tone.BUSY, BEING_CHECKED, sentence, wait, False)
    return OutcomeMessage(Tone.BAD, _title_of_refusal(operation, words), sentence, next_step, True)


def _shown_after_refusal(operation: Operation, zone: ZoneInfo) -> str:
    """Return a sentence about the read after a refused POST; "" if the order is unchanged."""
    if operation.awaits_read_after_refusal:
        return "Whether the order has changed is found out by reading it."
    if operation.after is None:
        return "A read afterwards did not find the order."
    status, accepted_at = operation.after.get("status"), operation.after.get("accepted_at")
    if accepted_at:
        at = time_or_no_expiration(datetime.fromisoformat(accepted_at), zone)
        return f"The recipient accepted it at {at}."
    if status in CANCELABLE and operation.failure_kind != "not_found":
        return ""
    return f"A read afterwards showed the order as “{formats.status_name(str(status))}”."


def _title_of_refusal(operation: Operation, words: ActionTitles) -> str:
    """Return the title. "Not canceled" would be false if somebody else canceled the order."""
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
            return _accepted(operation, zone), f"Ask Goody support ({SUPPORT_ADDRESS})."
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
            said = f"Goody does not allow this for this key: {as_sentence(operation.detail)}"
            return said, "Tell an admin."
        case "rejected":
            return f"Goody refused: {as_sentence(operation.detail)}", "Look at the order again."
        case _:
            return f"{as_sentence(operation.detail)} Nothing was sent.", ""


def _moved(operation: Operation, zone: ZoneInfo) -> str:
    """Return the differences from the snapshot of the dialog, with times in the viewer's zone."""
    found = compare_snapshots(operation.before or {}, operation.after or {}, zone=zone)
    words = "; ".join(str(one) for one in found)
    what = f"The order changed since you looked. {words}." if words else operation.detail
    return f"{what} Nothing was sent."


def _accepted(operation: Operation, zone: ZoneInfo) -> str:
    accepted_at = (operation.after or {}).get("accepted_at")
    if accepted_at:
        at = time_or_no_expiration(datetime.fromisoformat(accepted_at), zone)
        return f"The recipient accepted it at {at}. Nothing was sent."
    return f"{operation.detail} Nothing was sent."


def _asked_to_wait(operation: Operation, *, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    until = datetime.fromisoformat(operation.detail)
    clock = f"{formats.time_of_day(until, zone)} {formats.zone_name(until, zone)}"
    if until <= now:
        return f"Goody asked us to wait until {clock}.", "You may try again."
    return f"Goody asks us to wait until {clock}.", "Try again after that."


def not_sent_message(operation: Operation, words: ActionTitles) -> OutcomeMessage:
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
    sentence = f"{as_sentence(why)} Nothing was sent."
    return OutcomeMessage(Tone.BAD, words.not_done, sentence, next_step, True)
