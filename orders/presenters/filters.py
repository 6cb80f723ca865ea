"""The filters of a list: as the form shows them, in words, and as links that change one of them.

What stands in the box and what stands in the filters is told in the same words, each with the list
without it: a piece of the box is taken out of the box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.templatetags.static import static
from django.urls import reverse

from goody.types import ENDED, ORDER_STATUSES
from orders.forms.filters import FLAGS, PRESETS, Filters, Reading, query_of
from orders.forms.listing import LABELS, ListingForm
from orders.search.language import OPERATORS, Box
from orders.search.query import Sort
from orders.search.wording import Names, describe, write_box

from .marks import status_badge


class Filter(NamedTuple):
    """An active filter in words, and the list without it."""

    text: str
    remove_url: str
    icon: str


class Field(NamedTuple):
    """A control of the form: `value` as it was typed, also when it is wrong. `names_url` gives
    names to choose from.
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


class Hint(NamedTuple):
    """What can be written into the box."""

    example: str
    meaning: str


class Head(NamedTuple):
    """A column, and the list sorted by it, or the other way; `key` is "" where it cannot be."""

    key: str
    label: str
    css: str
    url: str
    # As `aria-sort` has it; "" where the list is sorted by something else.
    sorted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is asked for, above the table: the parts of the form, and the active filters."""

    statuses: Sequence[Option]
    presets: Sequence[Option]
    flags: Sequence[tuple[str, Sequence[Option]]]
    expires: Sequence[Field]
    created: Sequence[Field]
    workspace: Sequence[Field]
    sender: Sequence[Field]
    batch: Sequence[Field]
    more: Sequence[Field]
    # What is asked for and has no control of its own.
    hidden: Sequence[tuple[str, str]]
    # The groups in which something is chosen.
    marked: Sequence[str]
    # The first group in which something is wrong.
    wrong: str
    active: Sequence[Filter]
    clear_url: str


HINTS = tuple(Hint(one.example, one.meaning) for one in OPERATORS)

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
_HIDDEN = ("finding", "expires", "view", "sort", "per_page")
_COLUMNS = (
    ("recipient", "Recipient", "col-recipient"),
    ("", "Gift", "col-gift"),
    ("", "Status", "col-status"),
    ("expires", "Expires", "col-expires"),
    ("amount", "Amount", "col-amount num"),
    ("", "Sender, batch", "col-sender"),
    ("created", "Created", "col-created"),
    ("", "What can be done", "col-actions"),
)
# What a click on a column's head sorts by first.
_FIRST = {
    "recipient": Sort.RECIPIENT,
    "expires": Sort.EXPIRES_SOONEST,
    "amount": Sort.AMOUNT_LARGEST,
    "created": Sort.NEWEST,
}


def make_bar(form: ListingForm, *, box: Box, reading: Reading, names: Names) -> Bar:
    filters = form.filters

    def fields(*wanted: str) -> list[Field]:
        return [_field(form, name) for name in wanted]

    return Bar(
        statuses=_statuses(filters),
        presets=_presets(filters),
        flags=[_flag(filters, name) for name in _FLAG_LABELS],
        expires=fields("expires_after", "expires_before"),
        created=fields("created_after", "created_before"),
        workspace=fields("workspace"),
        sender=fields("sender"),
        batch=fields("batch"),
        more=fields("product", "brand"),
        hidden=[(name, value) for name, value in filters.params() if name in _HIDDEN],
        marked=[group for group, names in _GROUPS.items() if any(map(form.data.get, names))],
        wrong=next((group for group, names in _GROUPS.items() if form.has_error_in(names)), ""),
        active=filters_in_words(filters, box=box, reading=reading, names=names),
        clear_url=filters.cleared().url(),
    )


def _field(form: ListingForm, name: str) -> Field:
    wrong = "wrong" if name in form.errors else ""
    names_url = reverse("order_choices", args=[name]) if name in _NAMED else ""
    return Field(name, LABELS[name], form.data.get(name, ""), wrong, names_url)


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


def _flag(filters: Filters, name: str) -> tuple[str, list[Option]]:
    legend, yes, no = _FLAG_LABELS[name]
    given = getattr(filters, name)
    said_no, said_yes = FLAGS[name]
    return legend, [
        Option(name, "", "Either", "checked" if given is None else "", ""),
        Option(name, said_yes, yes, "checked" if given is True else "", f"n-{name}"),
        Option(name, said_no, no, "checked" if given is False else "", ""),
    ]


def filters_in_words(filters: Filters, *, box: Box, reading: Reading, names: Names) -> list[Filter]:
    """Each thing that narrows the list once, wherever it is said, with the list without it."""
    without: dict[str, Filters] = {}
    for text, rest in _pieces(filters, box, reading, names):
        without[text] = _both(filters, without[text], rest) if text in without else rest
    icon = f"{static('icons.svg')}#cross"
    return [Filter(text, rest.url(), icon) for text, rest in without.items()]


def _pieces(
    filters: Filters, box: Box, reading: Reading, names: Names
) -> Iterator[tuple[str, Filters]]:
    now, zone = reading.now, reading.zone
    for piece in describe(box.query, names=names, now=now, zone=zone):
        yield piece.text, filters.but(q=write_box(piece.without, now=now, zone=zone))
    for part in filters.parts():
        asked = query_of(part.name, part.value, reading)
        for piece in describe(asked, names=names, now=now, zone=zone):
            yield piece.text, part.without


def _both(filters: Filters, one: Filters, other: Filters) -> Filters:
    """Without what either is without."""
    given = ((name, getattr(other, name)) for name in Filters._fields)
    return one.but(**{name: value for name, value in given if value != getattr(filters, name)})


def make_heads(filters: Filters, *, order: Sort) -> list[Head]:
    """The columns of the table; `order` is how the list is sorted."""
    return [
        Head(key, label, css, *(_sorting(filters, key, order) if key else ("", "")))
        for key, label, css in _COLUMNS
    ]


def _sorting(filters: Filters, key: str, order: Sort) -> tuple[str, str]:
    is_sorted = order.key == key
    url = filters.but(sort=order.reversed if is_sorted else _FIRST[key]).url()
    direction = "descending" if order.is_descending else "ascending"
    return url, direction if is_sorted else ""
