"""An order's status and expiration in words, the same on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from goody.types import ENDED, ORDER_STATUSES
from orders import formats
from orders.eligibility import Expiry, ExpiryKind


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` is a class of app.css, `icon` an id in icons.svg."""

    tone: str
    icon: str
    word: str


CANCELED = Badge("ended", "ban", "Canceled")
CANCELED_OR_FAILED = Badge("ended", "ban", "Canceled or failed")
_BADGES = {
    "created": Badge("neutral", "circle", "Created"),
    "notified": Badge("neutral", "circle", "Notified"),
    "opened": Badge("busy", "busy", "Opened"),
    "accepted": Badge("busy", "busy", "Accepted"),
    "pending_payment": Badge("warn", "alert", "Payment pending"),
    "paid": Badge("busy", "busy", "Paid"),
    "ordered": Badge("busy", "busy", "Ordered"),
    "shipped": Badge("busy", "busy", "Shipped"),
    "delivered": Badge("good", "check", "Delivered"),
}

EXPIRY_TONES = {
    ExpiryKind.NONE: "",
    ExpiryKind.FUTURE: "",
    ExpiryKind.SOON: "is-soon",
    ExpiryKind.PAST: "is-past",
    ExpiryKind.IRRELEVANT: "muted",
}


def status_badge(status: str, *, is_cancel_on_record: bool) -> Badge:
    """The status in words; the raw value in grey if Goody's documentation does not list it.

    Goody answers `failed` after a cancel, so `failed` alone does not prove one.
    """
    if status in ENDED:
        is_canceled = is_cancel_on_record or status == "canceled"
        return CANCELED if is_canceled else CANCELED_OR_FAILED
    return _BADGES.get(status) or Badge("neutral", "help", f"Unknown: {status}")


def status_explanation(status: str) -> str:
    """Goody's definition of the status, where the badge needs one; else ""."""
    if status in ENDED:
        return (
            f"Goody reports “{status}”. Its documentation describes “failed” as canceled: that is "
            "what canceling an order yields. “canceled” is listed as well, without a definition. "
            "Goody does not say who canceled it, when, or why."
        )
    if status not in ORDER_STATUSES:
        return (
            f"Goody reports “{status}”, which its documentation does not list. Nothing can be "
            "changed here until this dashboard knows what it means."
        )
    return ""


def expiry_text(expiry: Expiry, now: datetime) -> str:
    """ "Expires in 3 d", "Expired 2 d ago", "No expiry"."""
    if expiry.at is None:
        return "No expiry"
    if expiry.kind == ExpiryKind.IRRELEVANT:
        return "Expiry no longer matters"
    distance = formats.relative(expiry.at, now)
    return f"Expired {distance}" if expiry.kind == ExpiryKind.PAST else f"Expires {distance}"
