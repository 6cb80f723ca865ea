"""What the list of orders is asked for by its URL: filters, sort, page size, place."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import QueryDict

from goody.types import ENDED
from orders.search.parse import MOST_LETTERS
from orders.search.query import Sort
from orders.text import fold

from .days import DayField
from .filters import DEFAULT_SIZE, FLAGS, PRESETS, SIZES, Filters
from .positions import BadPosition, Place, Position, read_position

MOST_PAGES = 1_000_000
_MOST_STATUSES = 50
_LONGEST_STATUS = 100
LONGEST_NAME = 300
_BATCH = re.compile(r"[0-9a-f]{1,8}|[0-9a-f-]{9,36}")


# What the controls are called.
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


class NameField(forms.CharField):
    """A part of a name, or an id."""

    def __init__(self, *, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            max_length=LONGEST_NAME,
            error_messages={"max_length": f"“{label}” is longer than any name."},
        )

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text and not fold(text):
            raise forms.ValidationError(f"“{self.label}” holds nothing that can be looked for.")
        return text


class BatchField(forms.CharField):
    """The id of a batch or its beginning, in small letters with dashes."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value).lower()
        if text and not _BATCH.fullmatch(text):
            raise forms.ValidationError(
                "“Batch” is the id of a batch or its beginning, such as 1a2b3c4d."
            )
        return text


class StatusField(forms.Field):
    """Any number of statuses, also such as Goody's documentation does not know; the ended ones,
    which are one group to us, as the first of them.
    """

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> tuple[str, ...]:
        given = (ENDED[0] if status in ENDED else status for status in value or ())
        statuses = tuple(dict.fromkeys(filter(None, given)))
        if len(statuses) > _MOST_STATUSES or not all(map(_may_be_status, statuses)):
            raise forms.ValidationError("These are no statuses of orders.")
        return statuses


def _may_be_status(text: str) -> bool:
    """PostgreSQL takes no NUL, not even to look for."""
    return len(text) <= _LONGEST_STATUS and "\x00" not in text


class FlagField(forms.TypedChoiceField):
    """Yes, no, or either, by the words that the URL has for them."""

    def __init__(self, *, label: str, name: str) -> None:
        no, yes = FLAGS[name]
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
    q = forms.CharField(
        required=False,
        max_length=MOST_LETTERS,
        error_messages={"max_length": f"A search has at most {MOST_LETTERS:,} letters."},
    )
    finding = forms.UUIDField(
        required=False,
        error_messages={"invalid": "This address does not name a list of pasted orders."},
    )
    status = StatusField(required=False)
    created_after = _day("Created from")
    created_before = _day("Created until")
    expires = forms.ChoiceField(
        required=False,
        choices=PRESETS.items(),
        error_messages={"invalid_choice": f"“Expires” is one of {', '.join(PRESETS)}."},
    )
    expires_after = _day("Expires from")
    expires_before = _day("Expires until")
    workspace = NameField(label="Workspace")
    batch = BatchField(required=False)
    sender = NameField(label="Sender")
    product = NameField(label="Product")
    brand = NameField(label="Brand")
    swapped = FlagField(label="Swapped", name="swapped")
    payment = FlagField(label="Payment", name="payment")
    delivery = FlagField(label="Delivery", name="delivery")
    view = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), "This address does not name a saved view."
        ),
    )
    sort = forms.TypedChoiceField(
        required=False,
        choices=[(sort.value, sort.value) for sort in Sort],
        coerce=Sort,
        empty_value=None,
        error_messages={"invalid_choice": "Orders cannot be sorted by this."},
    )
    per_page = forms.TypedChoiceField(
        required=False,
        choices=[(size, str(size)) for size in SIZES],
        coerce=int,
        empty_value=DEFAULT_SIZE,
        error_messages={"invalid_choice": "A page has 25, 50 or 100 orders."},
    )
    position = forms.CharField(required=False, max_length=1000)
    goto = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PAGES,
        error_messages={
            "invalid": "“Go to page” is not a whole number.",
            "min_value": "Pages are counted from 1.",
            "max_value": "There are not that many pages.",
        },
    )

    def __init__(self, data: QueryDict) -> None:
        # Only what the URL names: most of it is not asked, and making a field takes longer than
        # to read it.
        fields = type(self).base_fields
        self.base_fields = {name: field for name, field in fields.items() if name in data}
        super().__init__(data)

    def clean_position(self) -> Position | Place:
        try:
            return read_position(self.cleaned_data["position"])
        except BadPosition as error:
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
        """The valid part of them, also when something else is wrong."""
        names = Filters._fields
        return Filters(**{name: one for name, one in self.cleaned_data.items() if name in names})

    @property
    def sentences(self) -> list[str]:
        """All that is wrong, one sentence each."""
        return [str(error) for errors in self.errors.values() for error in errors]
