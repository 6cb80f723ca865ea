"""The filter bar above a list: one button for each filter, which shows the filter's value.

Conditions of the search box have no button, except the ids, addresses and links in it, whose button
shows how they were interpreted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

from orders.days import RequestClock
from orders.list_url import (
    CREATED_LABELS,
    EXPIRY_LABELS,
    ActiveFilter,
    Filters,
    LabelLookup,
    parameter_query,
)
from orders.search.describe import Names, describe_query
from orders.search.parse import ParsedQuery
from orders.search.query import Query, Sort

from .condition_texts import SORT_NAMES

# The parameters of each filter.
_PARAMETERS = {
    "expires": ("expires", "expires_after", "expires_before"),
    "status": ("status",),
    "created": ("created", "created_after", "created_before"),
    "sender": ("sender",),
    "batch": ("batch",),
    "workspace": ("workspace",),
    "product": ("product",),
    "brand": ("brand",),
    "swapped": ("swapped",),
    "payment": ("payment",),
    "delivery": ("delivery",),
    "attention": ("attention",),
    "finding": ("finding",),
    "selection": ("selection", "part"),
}
# How the descriptions of its conditions begin.
_BEGINNINGS = {
    "expires": "Expires ",
    "status": "Status: ",
    "created": "Created ",
    "sender": "From ",
    "batch": "Batch: ",
    "workspace": "Workspace: ",
    "product": "Product: ",
    "brand": "Brand: ",
}
_RELATIVE = {"expires": EXPIRY_LABELS, "created": CREATED_LABELS}
# Filters with a panel of their own; "more" has those of all others.
PANELS = ("expires", "status", "created", "sender", "batch", "workspace")
_WITHOUT_PANEL = ("finding", "selection")
_ID_LENGTH = 36


class FilterButton(NamedTuple):
    """A button of the filter bar.

    `value` is the filter's value as text, "" if it is not active. `panel` is the id of the popover
    to edit it, "" if it has none.
    """

    label: str
    value: str = ""
    remove_url: str = ""
    panel: str = ""


class FilterBar(NamedTuple):
    """The filter bar.

    `panels_url` returns the popovers of all filters, `all_url` is the list of all orders.
    `clear_url` removes the filters and keeps the search; "" unless several filters are active.
    """

    active: list[FilterButton]
    others: list[FilterButton]
    panels_url: str
    all_url: str
    clear_url: str
    sort: str


def filter_bar(
    filters: Filters,
    *,
    box: ParsedQuery,
    order: Sort,
    clock: RequestClock,
    label_id: LabelLookup,
    names: Names,
) -> FilterBar:
    active = [
        *_of_box(filters, box, clock, names),
        *_active(filters, clock, label_id, names),
    ]
    shown = {button.panel for button in active}
    others = [FilterButton(name.capitalize(), panel=name) for name in PANELS if name not in shown]
    cleared = filters.without_conditions()
    return FilterBar(
        active=active,
        others=[*others, FilterButton("More", panel="more")],
        panels_url=filters.url(name="order_filters"),
        all_url=cleared.url(),
        clear_url=cleared.replace(q=filters.q).url() if len(active) > 1 else "",
        sort=SORT_NAMES[order],
    )


def _of_box(
    filters: Filters, box: ParsedQuery, clock: RequestClock, names: Names
) -> Iterator[FilterButton]:
    """Yield one button for all identifiers in the search box, any of which an order may match."""
    if texts := describe_query(box.exact, names=names, now=clock.now, zone=clock.zone):
        rest = filters.replace(q=box.without_exact)
        yield FilterButton("", " or ".join(texts), rest.url())


def _active(
    filters: Filters, clock: RequestClock, label_id: LabelLookup, names: Names
) -> Iterator[FilterButton]:
    given: dict[str, list[ActiveFilter]] = {}
    for one in filters.active_filters():
        given.setdefault(one.name, []).append(one)
    for name, parameters in _PARAMETERS.items():
        values = [one for parameter in parameters for one in given.get(parameter, ())]
        if not values:
            continue
        queries = [parameter_query(one.name, one.value, clock, label_id) for one in values]
        label, value = _in_words(name, values, reduce(Query.merged_with, queries), clock, names)
        empty = {parameter: Filters._field_defaults[parameter] for parameter in parameters}
        panel = "" if name in _WITHOUT_PANEL else name if name in PANELS else "more"
        yield FilterButton(label, value, filters.replace(**empty).url(), panel)


def _in_words(
    name: str, values: list[ActiveFilter], query: Query, clock: RequestClock, names: Names
) -> tuple[str, str]:
    """Return label and value of a filter; the label is "" if the value is clear without it."""
    only = values[0].value if len(values) == 1 else None
    relative = _RELATIVE.get(name, {}).get(only) if isinstance(only, str) else None
    if relative:
        return name.capitalize(), relative.lower()
    texts = describe_query(query, names=names, now=clock.now, zone=clock.zone)
    if name == "batch" and isinstance(only, str):
        return "Batch", _short(only)
    beginning = _BEGINNINGS.get(name, "")
    if beginning and all(text.startswith(beginning) for text in texts):
        return name.capitalize(), ", ".join(text.removeprefix(beginning) for text in texts)
    return "", ", ".join(texts)


def _short(batch: str) -> str:
    """Return the beginning of a whole id, as the column of batches shows it."""
    return batch[:8] if len(batch) == _ID_LENGTH else batch
