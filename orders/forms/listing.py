"""The parameters of the list of orders: validation of filters, sort, page size and position."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import QueryDict

from goody.types import ENDED
from orders.bulk.selection_parts import decode_positions
from orders.list_columns import parse_columns
from orders.list_url import (
    CREATED_LABELS,
    DEFAULT_PAGE_SIZE,
    EXPIRY_LABELS,
    FLAG_VALUES,
    PAGE_SIZES,
    Filters,
    IndexPosition,
    InvalidPosition,
    LivePosition,
    parse_position,
)
from orders.search.paste import MAX_CHARACTERS
from orders.search.query import Sort
from orders.search.terms import MAX_LETTERS

from .fields import DayField, FreeTextField, NumberField, SingleLineField, clean_single_line

MAX_PAGE = 1_000_000
_MAX_STATUSES = 50
_MAX_STATUS_LENGTH = 100
MAX_NAME_LENGTH = 300
_BATCH = re.compile(r"[0-9a-f]{1,8}|[0-9a-f-]{9,36}")

# Labels of the controls.
LABELS = {
    "created_after": "Created from",
    "created_before": "Created until",
    "expires_after": "Expires from",
    "expires_before": "Expires until",
    "workspace": "Workspace",
    "batch": "Batch",
    "sender": "Sender",
    "product": "Product",
    "brand": "Brand",
}


class SearchBoxField(forms.CharField):
    """The text of the search box as typed; "" if nothing of it is visible."""

    def to_python(self, value: Any) -> str:
        return super().to_python(value if clean_single_line(value) else "") or ""


class NameField(SingleLineField):
    """A part of the name of a product, brand, sender or workspace, or its key."""

    def __init__(self, *, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            max_length=MAX_NAME_LENGTH,
            error_messages={"max_length": f"“{label}” is longer than any name."},
        )


class OrderBatchField(SingleLineField):
    """The id of a batch or a prefix of it, in lower case with dashes."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value).lower()
        if text and not _BATCH.fullmatch(text):
            raise forms.ValidationError(
                "“Batch” is the id of a batch or its beginning, such as 1a2b3c4d."
            )
        return text


class SelectionPartField(forms.CharField):
    """A part of a selection, as text of orders.bulk.selection_parts."""

    def validate(self, value: str) -> None:
        super().validate(value)
        try:
            decode_positions(value) if value else ()
        except ValueError as error:
            raise forms.ValidationError(
                "This address does not name a part of a selection: it was altered or copied in "
                "part."
            ) from error


class StatusField(forms.Field):
    """Any number of statuses, documented by Goody or not.

    The ended ones are one group here, represented by the first of them.
    """

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> tuple[str, ...]:
        given = (ENDED[0] if status in ENDED else status for status in value or ())
        statuses = tuple(dict.fromkeys(filter(None, given)))
        if len(statuses) > _MAX_STATUSES or not all(map(_may_be_status, statuses)):
            raise forms.ValidationError("These are no statuses of orders.")
        return statuses


class ColumnsField(forms.CharField):
    """Names of columns separated by commas. Unknown ones are left out."""

    def clean(self, value: Any) -> str:
        return ",".join(parse_columns(super().clean(value)))


def _may_be_status(text: str) -> bool:
    """Whether a text can be a status. PostgreSQL refuses NUL in parameters."""
    return len(text) <= _MAX_STATUS_LENGTH and "\x00" not in text


class FlagField(forms.TypedChoiceField):
    """True, False or None, in the spelling of the URL (FLAG_VALUES)."""

    def __init__(self, *, label: str, name: str) -> None:
        no, yes = FLAG_VALUES[name]
        super().__init__(
            label=label,
            required=False,
            choices=[(yes, yes), (no, no)],
            coerce=lambda text: text == yes,
            empty_value=None,
            error_messages={"invalid_choice": f"“{label}” is “{yes}” or “{no}”."},
        )


def _day(label: str) -> DayField:
    return DayField(label=label, invalid=f"“{label}” is not a date. Write it as YYYY-MM-DD.")


class ListingForm(forms.Form):
    q = SearchBoxField(
        required=False,
        max_length=MAX_LETTERS,
        error_messages={"max_length": f"A search has at most {MAX_LETTERS:,} letters."},
    )
    finding = forms.UUIDField(
        required=False,
        error_messages={"invalid": "This address does not name a list of pasted orders."},
    )
    selection = forms.UUIDField(
        required=False,
        error_messages={"invalid": "This address does not name a selection of orders."},
    )
    part = SelectionPartField(required=False, max_length=2_000)
    status = StatusField(required=False)
    created = forms.ChoiceField(
        required=False,
        choices=CREATED_LABELS.items(),
        error_messages={"invalid_choice": f"“Created” is one of {', '.join(CREATED_LABELS)}."},
    )
    created_after = _day("Created from")
    created_before = _day("Created until")
    expires = forms.ChoiceField(
        required=False,
        choices=EXPIRY_LABELS.items(),
        error_messages={"invalid_choice": f"“Expires” is one of {', '.join(EXPIRY_LABELS)}."},
    )
    expires_after = _day("Expires from")
    expires_before = _day("Expires until")
    workspace = NameField(label="Workspace")
    batch = OrderBatchField(required=False)
    sender = NameField(label="Sender")
    product = NameField(label="Product")
    brand = NameField(label="Brand")
    swapped = FlagField(label="Swapped", name="swapped")
    payment = FlagField(label="Payment", name="payment")
    delivery = FlagField(label="Delivery", name="delivery")
    attention = FlagField(label="Attention", name="attention")
    view = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), "This address does not name a saved view."
        ),
    )
    columns = ColumnsField(required=False, max_length=300)
    sort = forms.TypedChoiceField(
        required=False,
        choices=[(sort.value, sort.value) for sort in Sort],
        coerce=Sort,
        empty_value=None,
        error_messages={"invalid_choice": "Orders cannot be sorted by this."},
    )
    per_page = forms.TypedChoiceField(
        required=False,
        choices=[(size, str(size)) for size in PAGE_SIZES],
        coerce=int,
        empty_value=DEFAULT_PAGE_SIZE,  # type: ignore[arg-type]  # the stubs want text
        error_messages={"invalid_choice": "A page has 25, 50 or 100 orders."},
    )
    position = forms.CharField(required=False, max_length=1000)
    goto = NumberField(
        required=False,
        min_value=1,
        max_value=MAX_PAGE,
        error_messages={
            "invalid": "“Go to page” is not a whole number.",
            "min_value": "Pages are counted from 1.",
            "max_value": "There are not that many pages.",
        },
    )

    def __init__(self, data: QueryDict) -> None:
        # Only fields that the URL names: copying a field takes longer than validating it.
        fields = type(self).base_fields
        self.base_fields = {  # type: ignore[misc]  # Django copies it into `fields`
            name: field for name, field in fields.items() if name in data
        }
        super().__init__(data)

    def clean_position(self) -> LivePosition | IndexPosition | None:
        try:
            return parse_position(self.cleaned_data["position"])
        except InvalidPosition as error:
            raise forms.ValidationError(
                "This address does not name a place in the list: it was altered or copied in part."
            ) from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for name in ("created", "expires"):
            after, before = values.get(f"{name}_after"), values.get(f"{name}_before")
            if after and before and after > before:
                word = name.capitalize()
                self.add_error(f"{name}_before", f"“{word} until” is before “{word} from”.")
        return values

    @property
    def filters(self) -> Filters:
        """Return the valid filters, also if other fields have errors."""
        names = Filters._fields
        return Filters(**{name: one for name, one in self.cleaned_data.items() if name in names})

    @property
    def error_messages(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]


def parse_filters(query_string: str) -> Filters:
    """Return the filters of a query string, without the invalid ones."""
    form = ListingForm(QueryDict(query_string))
    form.full_clean()
    return form.filters


class _TextField(FreeTextField):
    """A field for any text.

    NUL, which Django refuses, separates identifiers like a zero-width space.
    """

    def to_python(self, value: Any) -> str:
        return super().to_python(str(value or "").replace("\0", "\N{ZERO WIDTH SPACE}"))


class PastedTextForm(forms.Form):
    text = _TextField(
        label="A ticket, an e-mail, a column of a spreadsheet",
        help_text="Looked up are order ids, batch ids, receipt references, gift links and e-mail "
        "addresses, wherever they stand. The text itself is not kept.",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 14}),
        error_messages={
            "required": "Paste or write something first.",
            "max_length": f"This is more than {MAX_CHARACTERS:,} characters. Look it up in parts.",
        },
    )
