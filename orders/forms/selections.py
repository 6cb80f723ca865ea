"""Forms to select orders, and for the choices in the preview of a bulk action."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from orders.eligibility import ExpirationPreset
from orders.list_url import PAGE_SIZES
from orders.models import Selection

from .dates import DateReader
from .fields import NumberField, SingleLineField
from .writes import MAX_DATE_LENGTH, CancelFields, ExtensionFields

# The boxes of a page.
MAX_CHECKED = max(PAGE_SIZES)
_MAX_QUERY_LENGTH = 4_000
DEFAULT_PRESET = ExpirationPreset.TWO_WEEKS
# A preview that is older is shown again before anything is done.
PREVIEW_LIFETIME = timedelta(hours=1)
AS_OF_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_DATE_FIELDS = ("expiration", "expiration_custom", "expiration_day")

ACTIONS = {
    "extend": Selection.Action.EXTEND,
    "cancel": Selection.Action.CANCEL,
    "csv": Selection.Action.EXPORT,
}


class OrderIdsField(forms.Field):
    """The ids of the checked boxes."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> tuple[UUID, ...]:
        if len(value or ()) > MAX_CHECKED:
            raise ValidationError(f"At most {MAX_CHECKED} boxes can be checked.")
        try:
            return tuple(dict.fromkeys(map(UUID, value or ())))
        except ValueError as error:
            raise ValidationError("These are no ids of orders.") from error


class SelectionForm(forms.Form):
    """Selects the checked orders of a page, or all orders of its list.

    `query` are the parameters of the list.
    """

    action = forms.TypedChoiceField(
        choices=[(name, name) for name in ACTIONS],
        coerce=ACTIONS.__getitem__,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Choose what to do with the orders."
        ),
    )
    all = forms.BooleanField(required=False)
    query = forms.CharField(required=False, max_length=_MAX_QUERY_LENGTH)
    order = OrderIdsField(required=False)


class PlanForm(forms.Form):
    """The choices of a person in the preview, which are a part of the page's URL.

    A typed `expiration_custom` is taken, else the picked day of `expiration_day`, else
    `expiration`, a preset or the instant of a former preview. `errors` are shown beside the fields,
    and the default preset is taken.
    """

    expiration = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    expiration_custom = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    expiration_day = SingleLineField(required=False, max_length=MAX_DATE_LENGTH)
    may_shorten = forms.BooleanField(required=False)
    with_changed = forms.BooleanField(required=False)
    group = forms.CharField(required=False, max_length=40)
    page = NumberField(required=False, min_value=1)
    # Of a submitted preview: the hash of its plan, and the time from which it counts.
    digest = forms.CharField(required=False, max_length=64)
    as_of = forms.CharField(required=False, max_length=20)

    def __init__(self, data: QueryDict, *, dates: DateReader) -> None:
        super().__init__(data)
        self.dates = dates
        self.note = ""

    @property
    def typed(self) -> str:
        names = _DATE_FIELDS[1:]
        return next(filter(None, (self.data.get(name, "").strip() for name in names)), "")

    @property
    def has_invalid_date(self) -> bool:
        return any(name in self.errors for name in _DATE_FIELDS)

    def submitted_as_of(self, now: datetime) -> datetime | None:
        """Return the time of the submitted preview (UTC); None if it is invalid or too old."""
        try:
            at = datetime.strptime(self.data.get("as_of", ""), AS_OF_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return None
        return at if now - PREVIEW_LIFETIME <= at <= now else None

    def clean(self) -> None:
        data = self.cleaned_data
        data["preset"], data["date"] = DEFAULT_PRESET, None
        chosen = data.get("expiration", "")
        text = data.get("expiration_custom") or data.get("expiration_day") or ""
        if not text and chosen in list(ExpirationPreset):
            data["preset"] = ExpirationPreset(chosen)
        elif text or chosen:
            self._read(text or chosen)

    def _read(self, text: str) -> None:
        try:
            found = self.dates.read(text)
        except ValidationError as error:
            self.add_error("expiration_custom", error)
            return
        self.cleaned_data["preset"], self.cleaned_data["date"] = None, found.at
        self.note = found.note


class ConfirmForm(forms.Form):
    """Confirms a preview. The person types the number of orders if `must_type`."""

    typed_count = NumberField(required=False)

    def __init__(self, *args: Any, count: int, must_type: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._count, self._must_type = count, must_type

    def clean_typed_count(self) -> int | None:
        typed: int | None = self.cleaned_data["typed_count"]
        if self._must_type and typed != self._count:
            raise ValidationError(f"Type the number of gifts: {self._count}.")
        return typed


class BulkCancelForm(ConfirmForm, CancelFields):
    pass


class BulkExtensionForm(ConfirmForm, ExtensionFields):
    pass
