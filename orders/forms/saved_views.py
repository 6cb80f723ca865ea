"""Saved views as they are typed, and which part of a list's address one keeps."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.urls import reverse

from .filters import DEFAULT_SIZE, Filters
from .listing import ListingForm

LONGEST_NAME = 60
LONGEST_QUERY = 2_000


def kept_of(filters: Filters) -> str:
    """Which list it is, as a query string: equal for equal lists, "" for all orders.

    Where in it one is and how long its pages are does not matter, and a finding is gone in a week.
    """
    return filters.but(view=None, finding=None, per_page=DEFAULT_SIZE).query_string


def filters_of(query: str) -> Filters:
    """The part of a query string that can be understood."""
    form = ListingForm(QueryDict(query))
    form.full_clean()
    return form.filters


def view_url(query: str, *, view_id: int | None = None, per_page: int = DEFAULT_SIZE) -> str:
    """The list of what a view keeps, as the view that it is."""
    more: dict[str, int] = {}
    if view_id is not None:
        more["view"] = view_id
    if per_page != DEFAULT_SIZE:
        more["per_page"] = per_page
    path, parameters = reverse("order_list"), "&".join(filter(None, (query, urlencode(more))))
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
    """The parameters of a list, of which is kept what can be understood."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            max_length=LONGEST_QUERY,
            error_messages={"max_length": "These filters are too long to be saved as a view."},
        )

    def clean(self, value: Any) -> str:
        return kept_of(filters_of(super().clean(value)))


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
