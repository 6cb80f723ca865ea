"""Decides whether an order may be canceled or extended, with the reason if not. Pure functions.

Lists, pages, dialogs and the writes use them. Goody's lifecycle guide allows a cancel of created,
notified and opened orders. It does not mention changes of the expiration, which are therefore
offered in the same statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from goody.types import CANCELABLE, ENDED, ORDER_STATUSES, Order

from . import formats
from .days import END_OF_DAY, local_time_in_utc

EXPIRES_SOON_WITHIN = timedelta(hours=72)
SUPPORT_ADDRESS = "support@ongoody.com"


@dataclass(frozen=True)
class Eligibility:
    """Whether an action on an order is allowed, and the reason.

    `code` is for programs, `sentence` and `next_step` are for people. `word` is the short reason
    against the action in a row of a list.
    """

    is_allowed: bool
    code: str
    sentence: str
    next_step: str = ""
    word: str = ""


_PAST_ACCEPTANCE = {
    "accepted": ("Accepted", "the recipient accepted it"),
    "pending_payment": ("Accepted", "it is accepted, payment pending"),
    "paid": ("In preparation", "it is being prepared"),
    "ordered": ("In preparation", "it is being prepared"),
    "shipped": ("On its way", "it has been shipped"),
    "delivered": ("Delivered", "it has been delivered"),
}
_MAY_CANCEL = Eligibility(True, "open", "Can be canceled: it has not been accepted.")
_MAY_EXTEND = Eligibility(True, "open", "Can be extended: it has not been accepted.")
_MAY_SET = Eligibility(True, "ok", "")
_ASK_GOODY = (
    f"Ask Goody support ({SUPPORT_ADDRESS}): “Copy hand-off” on its page copies what they need."
)


class HasStatus(Protocol):
    """The attributes of an order that decide what is allowed."""

    @property
    def status(self) -> str: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


def may_cancel(
    order: HasStatus,
    *,
    now: datetime,  # noqa: ARG001 - the arguments of may_extend
    is_cancel_on_record: bool = False,
) -> Eligibility:
    """Return whether the gift may be canceled through the API.

    A cancel is irreversible, and only possible before acceptance.
    """
    return _refusal(order.status, "canceled", is_cancel_on_record) or _MAY_CANCEL


def may_extend(
    order: HasStatus, *, now: datetime, is_cancel_on_record: bool = False
) -> Eligibility:
    """Return whether the expiration may be changed."""
    refusal = _refusal(order.status, "extended", is_cancel_on_record)
    if refusal:
        return refusal
    if "expires_at" in order.problems:
        return Eligibility(
            False,
            "unreadable",
            "Cannot be extended: Goody's answer holds an expiration that cannot be read.",
            "Look at the order on Goody's own page.",
            "Unreadable",
        )
    if order.expires_at is not None and order.expires_at <= now:
        return Eligibility(
            True,
            "expired",
            "Can be extended, but it has expired: Goody does not say whether that revives a gift.",
            "Look at the gift again after extending it.",
        )
    return _MAY_EXTEND


# A page of orders asks the same of a few statuses again and again.
@lru_cache(maxsize=256)
def _refusal(status: str, done: str, is_cancel_on_record: bool) -> Eligibility | None:
    if status in CANCELABLE:
        return None
    if status in ENDED:
        name = formats.status_name(status, is_cancel_on_record=is_cancel_on_record)
        sentence = f"Cannot be {done}: it is already {name.lower()}."
        return Eligibility(False, "ended", sentence, word="Ended")
    if status in _PAST_ACCEPTANCE:
        word, why = _PAST_ACCEPTANCE[status]
        return Eligibility(False, "accepted", f"Cannot be {done}: {why}.", _ASK_GOODY, word)
    return Eligibility(
        False,
        "unknown_status",
        f"Cannot be {done}: Goody reports a status that this dashboard does not know.",
        "Look at the order on Goody's own page.",
        "Unknown status",
    )


def joint_refusal_sentence(cancel: Eligibility, extend: Eligibility) -> str:
    """Return the reasons against a cancel and an extension, as one sentence if they are the same.

    Return "" if both are allowed.
    """
    refusals = [one.sentence for one in (cancel, extend) if not one.is_allowed]
    if len(refusals) == 2 and refusals[1] == refusals[0].replace("canceled", "extended", 1):
        return refusals[0].replace("canceled", "canceled or extended", 1)
    return " ".join(refusals)


def ineligible_after_cancel() -> Eligibility:
    """Return the eligibility of an order that was canceled here, even if a read shows it open."""
    sentence = "Cannot be changed: its cancel is on record here."
    return Eligibility(False, "ended", sentence, word="Ended")


class ExpiryKind(StrEnum):
    NONE = "none"
    FUTURE = "future"
    SOON = "soon"
    PAST = "past"
    # Accepted or ended: the date has no meaning any more.
    IRRELEVANT = "irrelevant"


@dataclass(frozen=True)
class Expiry:
    kind: ExpiryKind
    at: datetime | None


def classify_expiry(order: HasStatus, now: datetime) -> Expiry:
    """Return the kind and the instant of the expiration, independent of the status."""
    at = order.expires_at
    if order.status in ORDER_STATUSES and order.status not in CANCELABLE:
        return Expiry(ExpiryKind.IRRELEVANT, at)
    if at is None:
        return Expiry(ExpiryKind.NONE, None)
    if at <= now:
        return Expiry(ExpiryKind.PAST, at)
    return Expiry(ExpiryKind.SOON if at - now < EXPIRES_SOON_WITHIN else ExpiryKind.FUTURE, at)


def check_expiration(
    order: HasStatus,
    expiration: datetime,
    *,
    now: datetime,
    may_shorten: bool,
    max_days: int | None,
) -> Eligibility:
    """Return whether `expiration` (aware) may replace the order's `expires_at`.

    Goody documents no bounds. We require a future instant, at most `max_days` ahead (None: no
    bound). An earlier date, or a first date for an order without one, also needs `may_shorten`.
    """
    if expiration.tzinfo is None:
        raise ValueError("an expiration needs a time zone")
    if expiration <= now:
        step = "Choose a time in the future."
        return Eligibility(False, "past", "This time has passed.", step, "Time has passed")
    if max_days is not None and expiration > now + timedelta(days=max_days):
        return Eligibility(
            False,
            "too_far",
            f"This is more than {max_days} days ahead.",
            f"Choose a time within {max_days} days.",
            "Too far ahead",
        )
    return _check_against_current(order.expires_at, expiration, may_shorten=may_shorten)


def _check_against_current(
    current: datetime | None, expiration: datetime, *, may_shorten: bool
) -> Eligibility:
    if current is None and not may_shorten:
        return Eligibility(
            False,
            "sets_a_date",
            "This gift has no expiration now, and Goody offers no way to take one off again.",
            "Tick the box to confirm that it shall have one.",
            "No expiration now",
        )
    if current is not None and is_same_second(current, expiration):
        sentence, step = "This is already the expiration.", "Choose another time."
        return Eligibility(False, "same", sentence, step, "Already this date")
    if current is not None and expiration < current and not may_shorten:
        return Eligibility(
            False,
            "shortens",
            "This is earlier than the present expiration.",
            "Tick the box to confirm that it shall expire sooner.",
            "Would expire sooner",
        )
    return _MAY_SET


class ExpirationPreset(StrEnum):
    """A new expiration that is counted from the present one. The values are the labels."""

    WEEK = "+7 days"
    TWO_WEEKS = "+14 days"
    MONTH = "+30 days"
    END_OF_MONTH = "End of month"


_DAYS = {ExpirationPreset.WEEK: 7, ExpirationPreset.TWO_WEEKS: 14, ExpirationPreset.MONTH: 30}
_LAST_YEAR = 9999


def preset_base(now: datetime, expires_at: datetime | None) -> datetime:
    """Return the time from which presets count: the expiration, or now if it is past or missing.

    Now is truncated to the minute, because the dialog shows no seconds.
    """
    minute = now.replace(second=0, microsecond=0)
    return max(minute, expires_at) if expires_at is not None else minute


# The gifts of a batch expire together.
@lru_cache(maxsize=4096)
def preset_expiration(preset: ExpirationPreset, base: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the expiration (UTC) of the preset, counted from `base`.

    Days are days of `zone`, so that the local time stays the same across daylight saving. It is
    None in the year 9999, which may mean "never".
    """
    if base.year >= _LAST_YEAR:
        return None
    local = base.astimezone(zone).replace(tzinfo=None)
    if preset is ExpirationPreset.END_OF_MONTH:
        return _end_of_month(base, local, zone)
    return local_time_in_utc(local + timedelta(days=_DAYS[preset]), zone)


def expiration_presets(
    now: datetime, expires_at: datetime | None, zone: ZoneInfo
) -> list[tuple[str, datetime]]:
    """Return the presets that the dialog offers, as (label, expiration in UTC)."""
    base = preset_base(now, expires_at)
    offered = ((preset.value, preset_expiration(preset, base, zone)) for preset in ExpirationPreset)
    return [(label, at) for label, at in offered if at is not None]


def _end_of_month(start: datetime, local: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of the month of `start`, or of the next month if that is not later."""
    end = _last_day(local)
    instant = local_time_in_utc(datetime.combine(end, END_OF_DAY), zone)
    if instant > start:
        return instant
    return local_time_in_utc(datetime.combine(_last_day(end + timedelta(days=1)), END_OF_DAY), zone)


def _last_day(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def is_same_second(one: datetime | None, other: datetime | None) -> bool:
    """Return whether both times are equal in whole seconds, which is what Goody returns."""
    if one is None or other is None:
        return one is other
    return one.replace(microsecond=0) == other.replace(microsecond=0)


def recipient_name(order: Order) -> str:
    """Return the visible name; "" if there is none."""
    both = (order.recipient_first_name, order.recipient_last_name)
    return formats.printable_line(" ".join(filter(None, both)))


def cents_released_by_cancel(order: Order) -> tuple[int | None, bool]:
    """Return the US cents that a cancel releases, and whether they are before tax."""
    if order.amounts is None:
        return None, True
    if order.amounts.amount_total is not None:
        return order.amounts.amount_total, False
    return order.amounts.amount_pre_tax_total, True


def order_snapshot(order: Order) -> dict[str, Any]:
    """Return the values of an order that a dialog shows, as JSON values.

    A write compares them with a fresh read, and is refused if they differ. View counts are left
    out.
    """
    amounts = order.amounts
    return {
        "status": order.status,
        "expires_at": order.expires_at.isoformat() if order.expires_at else None,
        "recipient": [recipient_name(order), order.recipient_email],
        "cart": _contents(order),
        "amounts": [
            amounts and amounts.amount_pre_tax_total,
            amounts and amounts.amount_tax,
            amounts and amounts.amount_total,
        ],
    }


def snapshot_expiration(snapshot: Mapping[str, Any]) -> datetime | None:
    """Return the expiration in an `order_snapshot`."""
    text = snapshot.get("expires_at")
    return datetime.fromisoformat(text) if text else None


def _contents(order: Order) -> list[list[Any]]:
    items = order.cart.items if order.cart else ()
    return [[item.quantity, item.product.name if item.product else None] for item in items]


@dataclass(frozen=True)
class SnapshotDifference:
    """A value that differs between two snapshots, as texts."""

    label: str
    was: str
    is_now: str

    def __str__(self) -> str:
        return f"{self.label}: {self.was} → {self.is_now}"


def compare_snapshots(
    earlier: dict[str, Any], fresh: dict[str, Any], *, zone: tzinfo = UTC
) -> list[SnapshotDifference]:
    """Return the differences between two snapshots as texts, with times in `zone`."""
    return [
        SnapshotDifference(
            label, _in_words(name, earlier.get(name), zone), _in_words(name, fresh.get(name), zone)
        )
        for name, label in _LABELS.items()
        if earlier.get(name) != fresh.get(name)
    ]


_LABELS = {
    "status": "Status",
    "expires_at": "Expiration",
    "recipient": "Recipient",
    "cart": "Gift",
    "amounts": "Amount",
}


def _in_words(name: str, value: Any, zone: tzinfo) -> str:
    if not value:
        return "none"
    if name == "status":
        return formats.status_name(value)
    if name == "expires_at":
        return formats.date_time(datetime.fromisoformat(value), zone)
    if name == "recipient":
        return " ".join(filter(None, value)) or "none"
    if name == "cart":
        return ", ".join(f"{quantity} × {product or 'unnamed'}" for quantity, product in value)
    return _amounts_in_words(*value) if name == "amounts" else str(value)


def _amounts_in_words(pre_tax: int | None, tax: int | None, total: int | None) -> str:
    parts = ((pre_tax, "before tax"), (tax, "tax"), (total, "in total"))
    known = [f"{formats.money(cents)} {what}" for cents, what in parts if cents is not None]
    return ", ".join(known) or "not known yet"
