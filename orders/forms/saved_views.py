"""Saved views as they are typed, and the one way in which a list's address is kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.urls import reverse

LONGEST_NAME = 60
LONGEST_QUERY = 2_000
# What says where in a list one is, and not which list it is. A finding is gone in a week.
_NO_PART_OF_A_VIEW = frozenset(
    {"position", "goto", "per_page", "view", "finding", "next", "csrfmiddlewaretoken"}
)


def canonical(parameters: QueryDict) -> str:
    """Which list it is that these parameters ask for: equal for equal lists, "" for all orders."""
    said = sorted(
        (name, value.strip())
        for name, values in parameters.lists()
        for value in set(values)
        if name not in _NO_PART_OF_A_VIEW and value.strip()
    )
    return urlencode(said)


def view_url(query: str, *, view_id: int | None = None, per_page: str = "") -> str:
    """The list of a canonical query, as the view it belongs to."""
    more = {"view": view_id, "per_page": per_page}
    rest = urlencode({name: value for name, value in more.items() if value})
    path, parameters = reverse("order_list"), "&".join(filter(None, (query, rest)))
    return f"{path}?{parameters}" if parameters else path


class _NameField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=LONGEST_NAME,
            error_messages={
                "required": "Give the view a name.",
                "max_length": f"A name has at most {LONGEST_NAME} characters.",
            },
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        return " ".join(super().to_python(value).split())


class _QueryField(forms.CharField):
    """A list's parameters, made canonical."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            max_length=LONGEST_QUERY,
            error_messages={"max_length": "These filters are too long to be saved as a view."},
        )

    def to_python(self, value: Any) -> str:
        return canonical(QueryDict(super().to_python(value)))


class NewViewForm(forms.Form):
    name = _NameField()
    query = _QueryField()
    is_shared = forms.BooleanField(required=False)


class ViewForm(forms.Form):
    """One thing that is done with a view; only a new name and a new list need more than a word."""

    do = forms.ChoiceField(
        choices=[(one, one) for one in ("rename", "save", "share", "withdraw", "up", "delete")],
        error_messages={
            "required": "Nothing was changed: it was not said what to do.",
            "invalid_choice": "Nothing was changed: that cannot be done with a view.",
        },
    )
    name = _NameField(required=False)
    query = _QueryField()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("do") == "rename" and not values.get("name") and "name" not in self.errors:
            self.add_error("name", "Give the view a name.")
        return values
