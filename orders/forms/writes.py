"""Forms to cancel a gift, to change an expiration, and to settle an outcome.

They only validate the input. Whether the order allows the write is decided by orders.eligibility,
and again by orders.services after a fresh read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
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
_HIDDEN = ("form_key", "seen")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?\Z")
_END_OF_DAY = time(23, 59, 59)
_DAYS = (7, 14, 30)
# The number of presets: these and the end of the month.
PRESETS = len(_DAYS) + 1
_LAST_YEAR = 9999
_NOT_A_DATE = (
    "This is not a date. Write 2026-12-01 (the end of that day), 2026-12-01T18:30, "
    "or a time with its offset such as 2026-12-01T18:30:00Z."
)


def sign_seen(order_id: UUID, facts: dict[str, Any]) -> str:
    """Return the facts that the dialog showed, signed, for its hidden field."""
    return signing.dumps([str(order_id), facts], salt=_SALT, compress=True)


def read_seen(order_id: UUID, value: str) -> dict[str, Any] | None:
    """Return the facts of the hidden field.

    Return None if the signature is invalid or belongs to another order.
    """
    try:
        signed_for, facts = signing.loads(value, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return facts if signed_for == str(order_id) else None


def parse_expiration(text: str, zone: ZoneInfo) -> datetime:
    """Parse a date or time into an aware datetime in UTC, in whole seconds.

    `YYYY-MM-DD` is the last second of that day and `YYYY-MM-DDTHH:MM` that minute, both in `zone`;
    ISO 8601 with an offset is accepted as well. Raises ValidationError for anything else, and for
    a local time that daylight saving skips or repeats.
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
    """Return the last second of the day, the later one if clocks are set back at midnight."""
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
    """The hidden fields of both dialogs: the one-time key and the signed facts of the dialog."""

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
                "What the dialog showed cannot be verified. Nothing was sent; look again."
            )
        return facts

    @property
    def summary_errors(self) -> list[str]:
        """Return the errors of the hidden fields."""
        return [str(error) for name in _HIDDEN for error in self.errors.get(name, ())]

    @property
    def needs_new_dialog(self) -> bool:
        """Whether a hidden field is missing or invalid."""
        return bool(self.summary_errors)


class CancelForm(WriteForm):
    reason = forms.ChoiceField(
        choices=REASONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason.", "invalid_choice": "Choose a reason."},
    )
    note = ProseField(
        label="Note (required with “Other”)",
        required=False,
        max_length=MAX_NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    ticket = TicketField(label="Ticket (address or number, optional)")

    def clean(self) -> None:
        if self.cleaned_data.get("reason") == OTHER and not self.cleaned_data.get("note"):
            self.add_error("note", "Say in a few words what the other reason is.")


class ExpirationForm(WriteForm):
    """The form of the expiration dialog.

    `expiration` is the time of a preset, a typed date, or "custom" with `expiration_custom`.
    """

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
            self._parse("expiration_custom", typed)
        elif typed:
            self.add_error(
                "expiration_custom",
                "You chose a preset and typed another date as well. Choose “Another date”, or "
                "empty this field.",
            )
        else:
            self._parse("expiration", chosen)

    @property
    def undo_errors(self) -> list[str]:
        """Return the errors of an undo, whose dialog has no visible field."""
        fields = ("expiration", "expiration_custom", "may_shorten", "undoes")
        return [str(error) for name in fields for error in self.errors.get(name, ())]

    def _parse(self, field: str, text: str) -> None:
        if not text:
            self.add_error("expiration", "Choose a new expiration.")
            return
        try:
            self.cleaned_data["expiration"] = parse_expiration(text, self.zone)
        except ValidationError as error:
            self.add_error(field, error)


class SettleForm(forms.Form):
    """The form for the state that a person saw on Goody's page, after an unknown outcome."""

    is_applied = forms.TypedChoiceField(
        label="Goody's page shows",
        choices=[("yes", "the new expiration"), ("no", "another expiration")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Say what Goody's own page shows.",
            "invalid_choice": "Say what Goody's own page shows.",
        },
    )
    note = ProseField(
        label="What you saw, and where",
        max_length=MAX_NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say what you saw, and where."},
    )

    def __init__(self, *args: Any, is_cancel: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_cancel:
            is_applied = cast(forms.ChoiceField, self.fields["is_applied"])
            is_applied.choices = [("yes", "the gift canceled"), ("no", "the gift not canceled")]


def preset_base(now: datetime, expires_at: datetime | None) -> datetime:
    """Return the time from which presets count: the expiration, or now if it is past or missing.

    Now is truncated to the minute, because the dialog shows no seconds.
    """
    minute = now.replace(second=0, microsecond=0)
    return max(minute, expires_at) if expires_at is not None else minute


def presets(
    now: datetime, expires_at: datetime | None, zone: ZoneInfo
) -> list[tuple[str, datetime]]:
    """Return the presets of the dialog as (label, time in UTC).

    Days are days of `zone`, so that the local time stays the same across daylight saving. There are
    no presets in the year 9999, which may mean "never".
    """
    start = preset_base(now, expires_at)
    if start.year >= _LAST_YEAR:
        return []
    local = start.astimezone(zone).replace(tzinfo=None)
    chips = [(f"+{days} days", _at(local + timedelta(days=days), zone)) for days in _DAYS]
    return [*chips, ("End of month", _end_of_month(start, local, zone))]


def _end_of_month(start: datetime, local: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of the month of `start`, or of the next month if that is not later."""
    end = _last_day(local)
    instant = _at(datetime.combine(end, _END_OF_DAY), zone)
    if instant > start:
        return instant
    return _at(datetime.combine(_last_day(end + timedelta(days=1)), _END_OF_DAY), zone)


def _last_day(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _at(naive: datetime, zone: ZoneInfo) -> datetime:
    return naive.replace(tzinfo=zone).astimezone(UTC)
