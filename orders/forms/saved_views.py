"""Forms that save a list as a view and change a saved view."""

from __future__ import annotations

from typing import Any

from django import forms

from orders.list_url import saved_query_string

from .fields import FreeTextField
from .listing import parse_filters

MAX_NAME_LENGTH = 60
MAX_QUERY_LENGTH = 2_000


class _NameField(FreeTextField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=MAX_NAME_LENGTH,
            error_messages={
                "required": "Give the view a name.",
                "max_length": f"A name has at most {MAX_NAME_LENGTH} characters.",
            },
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        return " ".join((super().to_python(value) or "").split())


class _QueryField(forms.CharField):
    """The query string of a list, reduced to its valid filters."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            max_length=MAX_QUERY_LENGTH,
            error_messages={"max_length": "These filters are too long to be saved as a view."},
        )

    def clean(self, value: Any) -> str:
        return saved_query_string(parse_filters(super().clean(value)))


class NewSavedViewForm(forms.Form):
    name = _NameField()
    query = _QueryField()
    is_shared = forms.BooleanField(required=False)


class SavedViewForm(forms.Form):
    """A change of a view.

    `do` selects the change; `name` and `query` are the new values for two of the changes.
    """

    do = forms.ChoiceField(
        choices=[(one, one) for one in ("rename", "save", "share", "withdraw", "up", "delete")],
        error_messages={
            "required": "Nothing was changed: the form names no action.",
            "invalid_choice": "Nothing was changed: there is no such action on a view.",
        },
    )
    name = _NameField(required=False)
    query = _QueryField()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("do") == "rename" and not values.get("name") and "name" not in self.errors:
            self.add_error("name", "Give the view a name.")
        return values
