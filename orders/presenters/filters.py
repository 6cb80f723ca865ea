"""The filters of a list in words, each with the list without it, and the columns that sort it.

What stands in the box and what stands in the filters is told in the same words, each with the list
without it: a piece of the box is taken out of the box.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from orders.forms.filters import Filters, Reading, query_of
from orders.search.describe import Names, describe, write_box
from orders.search.parse import OPERATORS, ParsedQuery
from orders.search.query import Sort


class Filter(NamedTuple):
    """An active filter in words, and the list without it."""

    text: str
    remove_url: str


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


HINTS = tuple(Hint(one.example, one.meaning) for one in OPERATORS)

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
SORTED = {
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
# What a click on a column's head sorts by first.
_FIRST = {
    "recipient": Sort.RECIPIENT,
    "expires": Sort.EXPIRES_SOONEST,
    "amount": Sort.AMOUNT_LARGEST,
    "created": Sort.NEWEST,
}


def filters_in_words(
    filters: Filters, *, box: ParsedQuery, reading: Reading, names: Names
) -> list[Filter]:
    """Each thing that narrows the list once, wherever it is said, with the list without it."""
    without: dict[str, Filters] = {}
    for text, rest in _pieces(filters, box, reading, names):
        without[text] = _both(filters, without[text], rest) if text in without else rest
    return [Filter(text, rest.url()) for text, rest in without.items()]


def _pieces(
    filters: Filters, box: ParsedQuery, reading: Reading, names: Names
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


@lru_cache(maxsize=256)
def make_heads(filters: Filters, *, order: Sort) -> tuple[Head, ...]:
    """The columns of the table; `order` is how the list is sorted."""
    return tuple(
        Head(key, label, css, *(_sorting(filters, key, order) if key else ("", "")))
        for key, label, css in _COLUMNS
    )


def _sorting(filters: Filters, key: str, order: Sort) -> tuple[str, str]:
    is_sorted = order.key == key
    url = filters.but(sort=order.reversed if is_sorted else _FIRST[key]).url()
    direction = "descending" if order.is_descending else "ascending"
    return url, direction if is_sorted else ""
