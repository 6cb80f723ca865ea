"""The active filters of a list as chips, and the columns that sort it.

Filters and terms of the search box are described in the same words. Each chip links to the list
without it; removing a chip of the search box removes its term from the box.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from orders.days import RequestClock
from orders.list_url import Filters, LabelLookup, parameter_query
from orders.search.describe import Names, describe_query
from orders.search.parse import OPERATORS, ParsedQuery, ParsedTerm
from orders.search.query import Sort


class FilterChip(NamedTuple):
    """An active filter in words, and the URL of the list without it."""

    text: str
    remove_url: str


class OperatorHint(NamedTuple):
    """An operator of the search box with its explanation."""

    example: str
    meaning: str


class TableColumn(NamedTuple):
    """The head of a column, and the URL that sorts by it or reverses the sort.

    `key` is "" if the column cannot be sorted.
    """

    key: str
    label: str
    css: str
    url: str
    # The value of `aria-sort`; "" if the list is sorted by another column.
    sorted: str = ""


HINTS = tuple(OperatorHint(one.example, one.meaning) for one in OPERATORS)

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
SORT_NAMES = {
    Sort.NEWEST: "newest first",
    Sort.OLDEST: "oldest first",
    Sort.EXPIRES_SOONEST: "soonest expiration first",
    Sort.EXPIRES_LATEST: "latest expiration first",
    Sort.AMOUNT_SMALLEST: "smallest amount first",
    Sort.AMOUNT_LARGEST: "largest amount first",
    Sort.RECIPIENT: "recipients from A to Z",
    Sort.RECIPIENT_REVERSED: "recipients from Z to A",
    Sort.BEST: "best match first",
}
# The sort of the first click on a column head.
_FIRST_SORT = {
    "recipient": Sort.RECIPIENT,
    "expires": Sort.EXPIRES_SOONEST,
    "amount": Sort.AMOUNT_LARGEST,
    "created": Sort.NEWEST,
}


def filter_chips(
    filters: Filters, *, box: ParsedQuery, clock: RequestClock, label_id: LabelLookup, names: Names
) -> list[FilterChip]:
    """Return one chip for each condition, even if the search box and a filter both contain it."""
    without = _without_terms(filters, box, clock, names)
    for one in filters.active_filters():
        query = parameter_query(one.name, one.value, clock, label_id)
        for text in describe_query(query, names=names, now=clock.now, zone=clock.zone):
            kept = without.get(text)
            without[text] = _without_both(filters, kept, one.without) if kept else one.without
    return [FilterChip(text, rest.url()) for text, rest in without.items()]


def _without_terms(
    filters: Filters, box: ParsedQuery, clock: RequestClock, names: Names
) -> dict[str, Filters]:
    """Return the filters without the terms of each condition of the search box, by condition."""
    terms: dict[str, list[ParsedTerm]] = {}
    for term in box.terms:
        for text in describe_query(term.query, names=names, now=clock.now, zone=clock.zone):
            terms.setdefault(text, []).append(term)
    without = {text: filters.replace(q=box.without(some)) for text, some in terms.items()}
    # An order that is named by any of them matches, so that they are one condition.
    if exact := describe_query(box.exact, names=names, now=clock.now, zone=clock.zone):
        without[" or ".join(exact)] = filters.replace(q=box.without_exact)
    return without


def _without_both(filters: Filters, one: Filters, other: Filters) -> Filters:
    """Return `filters` without the values that `one` or `other` lacks."""
    values = ((name, getattr(other, name)) for name in Filters._fields)
    return one.replace(**{name: value for name, value in values if value != getattr(filters, name)})


@lru_cache(maxsize=256)
def table_columns(filters: Filters, *, order: Sort) -> tuple[TableColumn, ...]:
    """Return the columns of the table. `order` is the sort of the list."""
    return tuple(
        TableColumn(key, label, css, *(_sort_link(filters, key, order) if key else ("", "")))
        for key, label, css in _COLUMNS
    )


def _sort_link(filters: Filters, key: str, order: Sort) -> tuple[str, str]:
    is_sorted = order.key == key
    url = filters.replace(sort=order.reversed if is_sorted else _FIRST_SORT[key]).url()
    direction = "descending" if order.is_descending else "ascending"
    return url, direction if is_sorted else ""
