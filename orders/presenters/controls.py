"""The form of a list's filters: its controls, with what is chosen and what is typed in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from goody.types import ENDED, ORDER_STATUSES
from orders.forms.filters import FLAGS, PRESETS, Filters
from orders.forms.listing import LABELS
from orders.search.query import Sort

from .filters import SORTED
from .marks import status_badge


class Field(NamedTuple):
    """A control that is typed into: `value` as it was typed, also when it is wrong. `names_url`
    gives names to choose from.
    """

    name: str
    label: str
    value: str
    wrong: str
    names_url: str


class Option(NamedTuple):
    """One of several choices; `count_id` is where its count is put as soon as it is known."""

    name: str
    value: str
    label: str
    chosen: str
    count_id: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    statuses: Sequence[Option]
    presets: Sequence[Option]
    flags: Sequence[tuple[str, Sequence[Option]]]
    expires: Sequence[Field]
    created: Sequence[Field]
    workspace: Sequence[Field]
    sender: Sequence[Field]
    batch: Sequence[Field]
    more: Sequence[Field]
    # For where there is no head of a table to click.
    sorts: Sequence[Option]
    # What is asked for and has no control of its own.
    hidden: Sequence[tuple[str, str]]
    # The groups in which something is chosen.
    marked: Sequence[str]
    # The first group in which something is wrong.
    wrong: str


# The groups of the form, and the parameters in each.
_GROUPS = {
    "status": ("status",),
    "expires": ("expires", "expires_after", "expires_before"),
    "created": ("created_after", "created_before"),
    "workspace": ("workspace",),
    "sender": ("sender",),
    "batch": ("batch",),
    "more": ("product", "brand", "swapped", "payment", "delivery"),
}
_NAMED = ("workspace", "sender", "product", "brand")
_FLAG_LABELS = {
    "swapped": ("Swap", "Swapped for something else", "Not swapped"),
    "payment": ("Payment", "Payment pending", "Payment not pending"),
    "delivery": ("Delivery", "Delivery in trouble", "No delivery in trouble"),
}
_HIDDEN = ("finding", "expires", "view", "per_page")


def make_controls(
    filters: Filters, *, order: Sort, typed: Mapping[str, str], wrong: Collection[str] = ()
) -> Controls:
    """`order` is how the list is sorted, `typed` what stands in the fields, `wrong` names those
    that could not be read.
    """

    def fields(*wanted: str) -> list[Field]:
        return [_field(name, typed.get(name, ""), is_wrong=name in wrong) for name in wanted]

    return Controls(
        statuses=_statuses(filters),
        presets=_presets(filters),
        flags=[_flag(filters, name) for name in _FLAG_LABELS],
        expires=fields("expires_after", "expires_before"),
        created=fields("created_after", "created_before"),
        workspace=fields("workspace"),
        sender=fields("sender"),
        batch=fields("batch"),
        more=fields("product", "brand"),
        # The best match is offered above the rows, where there is one.
        sorts=[_sort(filters, one, order) for one in Sort if one is not Sort.BEST or one is order],
        hidden=[(name, value) for name, value in filters.params() if name in _HIDDEN],
        marked=[group for group, names in _GROUPS.items() if any(map(typed.get, names))],
        wrong=next((group for group, names in _GROUPS.items() if set(names) & set(wrong)), ""),
    )


def _field(name: str, value: str, *, is_wrong: bool) -> Field:
    names_url = reverse("order_choices", args=[name]) if name in _NAMED else ""
    return Field(name, LABELS[name], value, "wrong" if is_wrong else "", names_url)


def _statuses(filters: Filters) -> list[Option]:
    """One for each status, the ended ones together, and those that are asked for besides."""
    offered = [status for status in ORDER_STATUSES if status != ENDED[1]]
    chosen = {ENDED[0] if status in ENDED else status for status in filters.status}
    return [
        Option(
            "status",
            status,
            status_badge(status, is_cancel_on_record=False).word,
            "checked" if status in chosen else "",
            f"n-status-{status}" if status in offered else "",
        )
        for status in (*offered, *sorted(chosen.difference(offered)))
    ]


def _presets(filters: Filters) -> list[Option]:
    options = []
    for value, label in PRESETS.items():
        is_chosen = filters.expires == value
        url = filters.but(expires="" if is_chosen else value).url()
        chosen = "true" if is_chosen else ""
        options.append(Option("expires", value, label, chosen, f"n-expires-{value}", url))
    return options


def _sort(filters: Filters, one: Sort, order: Sort) -> Option:
    """What the list is sorted by without having been asked to is not asked for either."""
    is_usual = one is order and filters.sort is not order
    label = SORTED[one]
    return Option(
        "sort",
        "" if is_usual else one.value,
        label[0].upper() + label[1:],
        "selected" if one is order else "",
        "",
    )


def _flag(filters: Filters, name: str) -> tuple[str, list[Option]]:
    legend, yes, no = _FLAG_LABELS[name]
    given = getattr(filters, name)
    said_no, said_yes = FLAGS[name]
    return legend, [
        Option(name, "", "Either", "checked" if given is None else "", ""),
        Option(name, said_yes, yes, "checked" if given is True else "", f"n-{name}"),
        Option(name, said_no, no, "checked" if given is False else "", ""),
    ]
