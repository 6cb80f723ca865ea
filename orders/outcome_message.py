"""The display object for the outcome of a write, and the texts that all outcomes share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from . import formats
from .audit import Action
from .models import Operation


class Tone(StrEnum):
    """The kind of an outcome, which decides the color of its message."""

    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class OutcomeMessage:
    """The title, the sentence and the next step that pages show about an operation.

    With `is_final` the operation will not change any more.
    """

    tone: Tone
    title: str
    sentence: str
    next_step: str
    is_final: bool


@dataclass(frozen=True)
class ActionTitles:
    """The titles of the messages about a cancel, an extension or its undo, by outcome.

    `found` is for a read that shows the requested change, whose cause is not known; `otherwise` for
    a later read that contradicts Goody's confirmation; `recorded` for a record by a lead.
    """

    done: str
    doing: str
    not_done: str
    found: str
    otherwise: str
    recorded: str


# Nothing is known of the order itself, only that this attempt had no effect.
NOT_CARRIED_OUT = "This attempt was not carried out"

_ACTION_TITLES = {
    Action.ORDER_CANCEL: ActionTitles(
        "Canceled",
        "Canceling",
        "Not canceled",
        "Canceled at Goody",
        "Canceled, but a read showed otherwise",
        "Marked as canceled",
    ),
    Action.ORDER_EXTEND: ActionTitles(
        "Expiration changed",
        "Changing the expiration",
        "Not changed",
        "Changed at Goody",
        "Changed, but a read showed otherwise",
        "Marked as changed",
    ),
}
_UNDO_TITLES = ActionTitles(
    "Undone",
    "Undoing the change",
    "Not undone",
    "Changed back at Goody",
    "Undone, but a read showed otherwise",
    "Marked as undone",
)


def action_titles(operation: Operation) -> ActionTitles:
    """Return the titles of the messages about the operation."""
    return _UNDO_TITLES if operation.undoes_id else _ACTION_TITLES[Action(operation.action)]


BEING_CHECKED = "Outcome being checked"
NEEDS_HUMAN = "Needs a person"
NOT_MEANWHILE = "Do not repeat it elsewhere meanwhile."
UPDATES_BY_ITSELF = "This page updates by itself."
NO_WORKER = (
    "No worker is running, so the order is not read at present: tell an admin. Opening the order's "
    "page reads it too."
)


def shown_expiration_text(shown: dict[str, Any], zone: ZoneInfo) -> str:
    """Return the expiration in `shown`, the snapshot of a read, as text in the zone."""
    text = shown.get("expires_at")
    return time_or_no_expiration(datetime.fromisoformat(text) if text else None, zone)


def time_or_no_expiration(at: datetime | None, zone: ZoneInfo) -> str:
    """Return date and time in the zone; "no expiration" for None."""
    return "no expiration" if at is None else formats.date_time(at, zone)


def as_sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop; "" if it is blank."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."
