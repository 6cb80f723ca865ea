"""The column headers of a list, and the form to choose its columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from orders.list_columns import COLUMNS, DEFAULT_COLUMNS, REQUIRED_COLUMN, Columns, parse_columns
from orders.list_url import Filters
from orders.models import Profile
from orders.search.query import Sort

# The sort of the first click on a column head. There is none by gift, sender, workspace or brand:
# their names are labels, in another table than the orders, so that no index has the orders by name,
# and the first page would have to read all of them.
_FIRST_SORT = {
    "recipient": Sort.RECIPIENT,
    "status": Sort.STATUS,
    "expires": Sort.EXPIRES_SOONEST,
    "amount": Sort.AMOUNT_LARGEST,
    "created": Sort.NEWEST,
}


class ColumnHead(NamedTuple):
    """The header of a column, and the URL that sorts by it or reverses the sort.

    `key` is "" if the column cannot be sorted. `sorted` is the value of `aria-sort`; "" if the list
    is sorted by another column. `box_label` is the label of the checkbox of the whole page, beside
    which the rows have theirs; "" in other columns.
    """

    css: str
    label: str
    key: str = ""
    url: str = ""
    sorted: str = ""
    box_label: str = ""


def shown_columns(filters: Filters, profile: Profile) -> Columns:
    """Return the columns of a list: of its URL, or else the person's own, or else the default."""
    return parse_columns(filters.columns) or parse_columns(profile.columns) or DEFAULT_COLUMNS


@lru_cache(maxsize=256)
def column_heads(filters: Filters, *, columns: Columns, order: Sort) -> tuple[ColumnHead, ...]:
    """Return the headers of the columns. `order` is the sort of the list."""
    return tuple(_head(filters, name, order) for name in columns)


def _head(filters: Filters, name: str, order: Sort) -> ColumnHead:
    if name not in _FIRST_SORT:
        return ColumnHead(name, COLUMNS[name])
    is_sorted = order.key == name
    url = filters.replace(sort=order.reversed if is_sorted else _FIRST_SORT[name]).url()
    direction = "descending" if order.is_descending else "ascending"
    return ColumnHead(
        name,
        COLUMNS[name],
        name,
        url,
        direction if is_sorted else "",
        box_label="Select this page" if name == REQUIRED_COLUMN else "",
    )


class ColumnChoice(NamedTuple):
    """A column in the form that chooses columns."""

    name: str
    label: str
    is_shown: bool
    is_required: bool


def column_choices(shown: Columns, *, order: Columns = ()) -> Sequence[ColumnChoice]:
    """Return all columns, in the given `order`; without it, the shown ones come first."""
    names = dict.fromkeys((*order, *shown, *COLUMNS))
    return [
        ColumnChoice(name, COLUMNS[name], name in shown, name == REQUIRED_COLUMN) for name in names
    ]
