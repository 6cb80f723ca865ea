"""What a person fills in to cancel, to change an expiration, or to settle an outcome.

Shapes and sentences about the input only. Whether the order allows it is decided in
orders.eligibility, and asked again by orders.services with a fresh read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from orders.audit import REASONS

from .fields import ProseField, TicketField, TypedField, clean_typed

MAX_NOTE_LENGTH = 2_000
CUSTOM = "custom"
OTHER = "other"
_SALT = "orders.seen"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?\Z")
_END_OF_DAY = time(23, 59, 59)
_DAYS = (7, 14, 30)
# How many the dialog offers: these and the end of the month.
PRESETS = len(_DAYS) + 1
_LAST_YEAR = 9999
_NOT_A_DATE = (
    "This is not a date. Write 2026-12-01 (the end of that day), 2026-12-01T18:30, "
    "or a time with its offset such as 2026-12-01T18:30:00Z."
)


def sign_seen(order_id: UUID, facts: dict[str, Any]) -> str:
    """What the dialog showed, for its hidden field: whoever posts it back can not change it."""
    return signing.dumps([str(order_id), facts], salt=_SALT, compress=True)


def read_seen(order_id: UUID, value: str) -> dict[str, Any] | None:
    """The facts out of the hidden field; None if it is not ours or belongs to another order."""
    try:
        signed_for, facts = signing.loads(value, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return facts if signed_for == str(order_id) else None


def parse_expiration(text: str, zone: ZoneInfo) -> datetime:
    """The instant that a text means, aware, in UTC, in whole seconds.

    `YYYY-MM-DD` is the last second of that day and `YYYY-MM-DDTHH:MM` that minute, both in
    `zone`; ISO 8601 with an offset speaks for itself. Raises ValidationError with a sentence for
    anything else, and for a local time that the clocks skip or pass twice.
    """
    text = clean_typed(text)
    try:
        if _DAY.match(text):
            return _end_of_day(datetime.fromisoformat(text), zone)
        if _LOCAL.match(text):
            return _unambiguous(datetime.fromisoformat(text), zone)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValidationError(_NOT_A_DATE)
        return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError) as error:
        raise ValidationError(_NOT_A_DATE) from error


def _end_of_day(day: datetime, zone: ZoneInfo) -> datetime:
    """Its last second. Where clocks are set back at midnight, the later of the two is the end."""
    naive = datetime.combine(day, _END_OF_DAY)
    _refuse_skipped(naive, zone)
    return naive.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _unambiguous(naive: datetime, zone: ZoneInfo) -> datetime:
    _refuse_skipped(naive, zone)
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        raise ValidationError(
            f"On that day the clocks are set back and {naive:%H:%M} happens twice in {zone.key}. "
            f"Choose another time, or give the offset (for example {naive:%Y-%m-%dT%H:%M}Z)."
        )
    return first


def _refuse_skipped(naive: datetime, zone: ZoneInfo) -> None:
    there_and_back = naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    if there_and_back.replace(tzinfo=None) != naive:
        raise ValidationError(
            f"On that day the clocks are set forward and {naive:%H:%M} does not exist in "
            f"{zone.key}. Choose another time."
        )


class WriteForm(forms.Form):
    """What both dialogs carry: the one-time key, and what was on the screen."""

    form_key = forms.UUIDField(
        error_messages={
            "required": "The dialog's one-time key is missing. Nothing was sent; look again.",
            "invalid": "The dialog's one-time key is damaged. Nothing was sent; look again.",
        }
    )
    seen = forms.CharField(
        error_messages={
            "required": "What the dialog showed is missing. Nothing was sent; look again."
        }
    )

    def __init__(self, *args: Any, order_id: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_id = order_id

    def clean_seen(self) -> dict[str, Any]:
        facts = read_seen(self.order_id, self.cleaned_data["seen"])
        if facts is None:
            raise ValidationError(
                "What the dialog showed can not be verified. Nothing was sent; look again."
            )
        return facts

    @property
    def must_look_again(self) -> bool:
        """Whether the hidden part is unusable, so that only a new dialog helps."""
        return bool({"form_key", "seen"} & set(self.errors))


class CancelForm(WriteForm):
    reason = forms.ChoiceField(
        choices=REASONS,
        error_messages={"required": "Choose a reason.", "invalid_choice": "Choose a reason."},
    )
    note = ProseField(required=False, max_length=MAX_NOTE_LENGTH)
    ticket = TicketField()

    def clean(self) -> None:
        if self.cleaned_data.get("reason") == OTHER and not self.cleaned_data.get("note"):
            self.add_error("note", "Say in a few words what the other reason is.")


class ExpirationForm(WriteForm):
    """`expiration` is a chip's instant, a typed date, or "custom" with `expiration_custom`."""

    expiration = TypedField(required=False, max_length=40)
    expiration_custom = TypedField(required=False, max_length=40)
    may_shorten = forms.BooleanField(required=False)
    undoes = forms.UUIDField(required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean(self) -> None:
        chosen = self.cleaned_data.get("expiration", "")
        typed = self.cleaned_data.get("expiration_custom", "")
        if chosen in ("", CUSTOM):
            self._take("expiration_custom", typed)
        elif typed:
            self.add_error(
                "expiration_custom",
                "You chose a preset and typed another date as well. Choose “Another date”, or "
                "empty this field.",
            )
        else:
            self._take("expiration", chosen)

    @property
    def undo_errors(self) -> list[str]:
        """What is wrong with an undo, which shows no field to stand beside."""
        fields = ("expiration", "expiration_custom", "may_shorten", "undoes")
        return [str(error) for name in fields for error in self.errors.get(name, ())]

    def _take(self, field: str, text: str) -> None:
        if not text:
            self.add_error("expiration", "Choose a new expiration.")
            return
        try:
            self.cleaned_data["expiration"] = parse_expiration(text, self.zone)
        except ValidationError as error:
            self.add_error(field, error)


class SettleForm(forms.Form):
    """What Goody's own page shows about a write whose outcome could not be read."""

    is_applied = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")],
        coerce=lambda value: value == "yes",
        error_messages={
            "required": "Say what Goody's own page shows.",
            "invalid_choice": "Say what Goody's own page shows.",
        },
    )
    note = ProseField(
        max_length=MAX_NOTE_LENGTH,
        error_messages={"required": "Say what you saw, and where."},
    )


def latest_of(now: datetime, expires_at: datetime | None) -> datetime:
    """What presets count from: the present expiry, or now where that is past or missing.

    Now is cut to the whole minute, since the dialog shows no seconds.
    """
    minute = now.replace(second=0, microsecond=0)
    return max(minute, expires_at) if expires_at is not None else minute


def presets(
    now: datetime, expires_at: datetime | None, zone: ZoneInfo
) -> list[tuple[str, datetime]]:
    """The dialog's chips as (label, instant in UTC).

    Days are counted on the viewer's calendar, so that the hour stays the same over a change of
    the clocks. There are none at the end of the calendar, where Goody may put "never".
    """
    start = latest_of(now, expires_at)
    if start.year >= _LAST_YEAR:
        return []
    local = start.astimezone(zone).replace(tzinfo=None)
    chips = [(f"+{days} days", _at(local + timedelta(days=days), zone)) for days in _DAYS]
    return [*chips, ("End of month", _end_of_month(start, local, zone))]


def _end_of_month(start: datetime, local: datetime, zone: ZoneInfo) -> datetime:
    """The end of the month that `start` lies in, or of the next one if that is no later."""
    end = _last_day(local)
    instant = _at(datetime.combine(end, _END_OF_DAY), zone)
    if instant > start:
        return instant
    return _at(datetime.combine(_last_day(end + timedelta(days=1)), _END_OF_DAY), zone)


def _last_day(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _at(naive: datetime, zone: ZoneInfo) -> datetime:
    return naive.replace(tzinfo=zone).astimezone(UTC)
