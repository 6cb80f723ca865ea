"""The small marks that several pages share: status badges, banners, toasts.

Which words tell a write's outcome is decided in orders.outcomes; here they only get a shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from goody.types import ENDED
from orders.eligibility import ExpiryKind


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` is a class of app.css, `icon` an id in icons.svg."""

    tone: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """A message that stays on the page. `reference` is the request id, for whoever reads logs."""

    tone: str
    title: str
    sentence: str = ""
    next_step: str = ""
    reference: str = ""
    link_url: str = ""
    link_label: str = ""

    @property
    def icon(self) -> str:
        return {"good": "check", "info": "info"}.get(self.tone, "alert")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """A message that goes away. `action_url` opens in the dialog (Undo), `link_url` is a page.

    `about` is an order's id: a newer message about it takes the place of this one.
    """

    tone: str
    title: str
    sentence: str = ""
    action_url: str = ""
    action_label: str = ""
    link_url: str = ""
    link_label: str = ""
    about: str = ""


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
    """The status in words; raw and grey where Goody's documentation does not know it.

    Goody answers `failed` after a cancel, so that `failed` alone proves none.
    """
    if status in ENDED:
        is_canceled = is_cancel_on_record or status == "canceled"
        return CANCELED if is_canceled else CANCELED_OR_FAILED
    return _BADGES.get(status) or Badge("neutral", "help", f"Unknown: {status}")
