"""Forms to cancel a gift, to change an expiration, and to settle an outcome.

They only validate the input. Whether the order allows the write is decided by orders.eligibility,
and again by orders.services after a fresh read.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from orders import formats
from orders.audit import REASONS
from orders.models import Operation

from .dates import DateReader, ParsedDate
from .fields import FreeTextField, SingleLineField, TicketField

MAX_NOTE_LENGTH = 2_000
MAX_DATE_LENGTH = 60
OTHER = "other"
_SALT = "orders.snapshot"
_HIDDEN = ("form_key", "snapshot")


def sign_snapshot(order_id: UUID, snapshot: dict[str, Any]) -> str:
    """Return the snapshot that the dialog showed, signed, for its hidden field."""
    return signing.dumps([str(order_id), snapshot], salt=_SALT, compress=True)


def read_signed_snapshot(order_id: UUID, value: str) -> dict[str, Any] | None:
    """Return the snapshot in the hidden field.

    Return None if the signature is invalid or belongs to another order.
    """
    try:
        signed_for, snapshot = signing.loads(value, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return snapshot if signed_for == str(order_id) else None


class WriteForm(forms.Form):
    """The hidden fields of both dialogs: the one-time key and the signed snapshot of the dialog."""

    form_key = forms.UUIDField(
        error_messages={
            "required": "The dialog's one-time key is missing. Nothing was sent; look again.",
            "invalid": "The dialog's one-time key is damaged. Nothing was sent; look again.",
        }
    )
    snapshot = forms.CharField(
        error_messages={
            "required": "What the dialog showed is missing. Nothing was sent; look again."
        }
    )

    def __init__(self, *args: Any, order_id: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_id = order_id

    def clean_snapshot(self) -> dict[str, Any]:
        snapshot = read_signed_snapshot(self.order_id, self.cleaned_data["snapshot"])
        if snapshot is None:
            raise ValidationError(
                "What the dialog showed cannot be verified. Nothing was sent; look again."
            )
        return snapshot

    @property
    def hidden_field_errors(self) -> list[str]:
        """Return the errors of the hidden fields."""
        return [str(error) for name in _HIDDEN for error in self.errors.get(name, ())]

    @property
    def needs_new_dialog(self) -> bool:
        """Whether a hidden field is missing or invalid."""
        return bool(self.hidden_field_errors)


class CancelFields(forms.Form):
    """Why gifts are canceled."""

    reason = forms.ChoiceField(
        choices=REASONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason.", "invalid_choice": "Choose a reason."},
    )
    note = FreeTextField(
        label="Note",
        aside="required with “Other”",
        required=False,
        max_length=MAX_NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    ticket = TicketField()

    def clean(self) -> None:
        if self.cleaned_data.get("reason") == OTHER and not self.cleaned_data.get("note"):
            self.add_error("note", "Say in a few words what the other reason is.")


class CancelForm(WriteForm, CancelFields):
    """The form of the cancel dialog."""


class ExtensionFields(forms.Form):
    """Why expirations are changed."""

    reason = FreeTextField(
        label="Reason",
        aside="optional",
        required=False,
        max_length=MAX_NOTE_LENGTH,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "Why, for the timeline"}
        ),
    )
    ticket = TicketField()


class ExpirationForm(WriteForm, ExtensionFields):
    """The form of the expiration dialog.

    A typed `expiration_custom` is taken, else the picked day of `expiration_day`, else the
    `expiration` of a preset. `understood` is the instant that the dialog showed for the typed text.
    It must be the instant that is sent if the text is ambiguous or its meaning has changed.
    """

    expiration = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    expiration_custom = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    expiration_day = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    understood = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    may_shorten = forms.BooleanField(required=False)

    def __init__(self, *args: Any, dates: DateReader, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dates = dates

    @property
    def typed(self) -> str:
        """The date as typed or picked; "" if a preset was chosen."""
        names = ("expiration_custom", "expiration_day")
        return next(filter(None, (self.data.get(name, "").strip() for name in names)), "")

    def clean(self) -> None:
        data = self.cleaned_data
        typed = data.get("expiration_custom") or data.get("expiration_day")
        field = "expiration_custom" if typed else "expiration"
        text = typed or data.get("expiration", "")
        if self.errors:
            return
        if not text:
            self.add_error("expiration", "Choose a new expiration.")
            return
        try:
            date = self.dates.read(text)
        except ValidationError as error:
            self.add_error(field, error)
            return
        seen = data.get("understood", "") if typed else ""
        data["expiration"] = self._understood(date, seen)

    def _understood(self, date: ParsedDate, seen: str) -> datetime:
        """Return the instant that is sent; add an error if the person has to look at it first."""
        if seen == formats.iso_utc(date.at) or not (seen or date.note):
            return date.at
        shown = _instant(seen)
        if shown is not None and self.is_resubmitted:
            # The text may mean another date now because the first submit was carried out.
            return shown
        self.add_error(None, "Look below how the date was read. If it is right, send it again.")
        return date.at

    @cached_property
    def is_resubmitted(self) -> bool:
        """Whether an operation has the one-time key, so that an equal submit returns that."""
        return Operation.objects.filter(form_key=self.cleaned_data["form_key"]).exists()


def _instant(text: str) -> datetime | None:
    """Return the instant in a hidden field; None if the text is invalid."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if at.tzinfo is None else at


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
    note = FreeTextField(
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
