"""The form of a list's filters, as markup.

Most people look at the same few lists again and again, and the form is the larger part of what a
page consists of beside its rows: it is made once for equal filters.
"""

from __future__ import annotations

from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from orders.forms.filters import Filters
from orders.forms.listing import ListingForm
from orders.presenters.controls import Controls, make_controls
from orders.search.query import Sort


def filter_form(form: ListingForm, filters: Filters, *, order: Sort, zone: str) -> SafeString:
    """`order` is how the list is sorted, `zone` the one whose days are meant, in words."""
    if form.errors:
        controls = make_controls(filters, order=order, typed=form.data, wrong=form.errors)
        return _render(controls, zone)
    return _remembered(filters, order, zone)


@lru_cache(maxsize=256)
def _remembered(filters: Filters, order: Sort, zone: str) -> SafeString:
    return _render(make_controls(filters, order=order, typed=dict(filters.params())), zone)


def _render(controls: Controls, zone: str) -> SafeString:
    return render_to_string("orders/filters.html", {"controls": controls, "zone": zone})
