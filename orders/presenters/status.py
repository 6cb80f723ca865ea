"""An order's status and expiration in words, the same on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from goody.types import ENDED, ORDER_STATUSES
from orders import formats
from orders.eligibility import Expiry, ExpiryKind
from orders.models import BlockingJob, Operation, State


@dataclass(frozen=True, slots=True)
class Badge:
    """A short text with a color and an icon.

    `tone` is a class of app.css, `icon` an id in icons.svg.
    """

    tone: str
    icon: str
    word: str
    # Where there is little room; "" if `word` is short.
    short: str = ""


# Tone and icon of each status.
_LOOKS = {
    "created": ("neutral", "circle"),
    "notified": ("neutral", "circle"),
    "opened": ("busy", "busy"),
    "accepted": ("busy", "busy"),
    "pending_payment": ("warn", "alert"),
    "paid": ("busy", "busy"),
    "ordered": ("busy", "busy"),
    "shipped": ("busy", "busy"),
    "delivered": ("good", "check"),
    "failed": ("ended", "ban"),
    "canceled": ("ended", "ban"),
}
DELIVERY_FAILED = Badge("bad", "alert", "Delivery failed")
OUTCOME_UNKNOWN = Badge("warn", "clock", "Outcome being checked", "Being checked")
OUTCOME_NEEDS_HUMAN = Badge("warn", "alert", "Outcome needs a person", "Needs a person")
PAYMENT_PENDING = Badge("warn", "alert", "Payment pending")

EXPIRY_TONES = {
    ExpiryKind.NONE: "",
    ExpiryKind.FUTURE: "",
    ExpiryKind.SOON: "is-soon",
    ExpiryKind.PAST: "is-past",
    ExpiryKind.IRRELEVANT: "muted",
}


class HasBadges(Protocol):
    """The fields of an order on which its badges depend."""

    @property
    def status(self) -> str: ...
    @property
    def has_delivery_trouble(self) -> bool: ...
    @property
    def is_payment_pending(self) -> bool: ...


def status_badge(status: str, *, is_cancel_on_record: bool) -> Badge:
    tone, icon = _LOOKS.get(status, ("neutral", "help"))
    return Badge(tone, icon, formats.status_name(status, is_cancel_on_record=is_cancel_on_record))


_OUTCOMES = {State.UNKNOWN: OUTCOME_UNKNOWN, State.NEEDS_HUMAN: OUTCOME_NEEDS_HUMAN}


def order_badges(
    order: HasBadges,
    *,
    is_cancel_on_record: bool,
    operation: Operation | None = None,
    job: BlockingJob | None = None,
) -> list[Badge]:
    """Return the badges of an order: its status and qualifications of it.

    Every page uses them. `operation` is the open write on the order, `job` the one in which it
    waits.
    """
    badges = [status_badge(order.status, is_cancel_on_record=is_cancel_on_record)]
    if operation is not None and operation.state in _OUTCOMES:
        badges.append(_OUTCOMES[State(operation.state)])
    if job is not None:
        badges.append(Badge("busy", "clock", f"In job {job.number}"))
    if order.has_delivery_trouble:
        badges.append(DELIVERY_FAILED)
    if order.is_payment_pending and order.status != "pending_payment":
        badges.append(PAYMENT_PENDING)
    return badges


def expiry_badge(expiry: Expiry, now: datetime, *, unreadable: bool) -> Badge | None:
    """Return the badge of an expiration that needs attention; None for any other.

    `unreadable`: Goody sent an expiration that cannot be read.
    """
    if unreadable:
        return Badge("warn", "alert", "Expiration unreadable")
    if expiry.at is None or expiry.kind not in (ExpiryKind.SOON, ExpiryKind.PAST):
        return None
    verb = "Expired" if expiry.kind is ExpiryKind.PAST else "Expires"
    return Badge("warn", "clock", f"{verb} {formats.relative_time(expiry.at, now)}")


def shipment_badge(status: str | None) -> Badge:
    """Return the badge of a shipment status.

    Goody does not document the values; those in its examples have a tone.
    """
    if not status:
        return Badge("neutral", "help", "Status not given")
    word = status.replace("_", " ").capitalize()
    if status.startswith("failed"):
        return Badge("bad", "alert", word)
    tone, icon = {"shipped": ("busy", "busy"), "delivered": ("good", "check")}.get(
        status, ("neutral", "circle")
    )
    return Badge(tone, icon, word)


def status_explanation(status: str) -> str:
    """Return Goody's definition of the status if the badge needs one; else ""."""
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
