"""The checkboxes of a list of orders, and the bulk actions that the person may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from orders.list_url import CHECKED_PARAMETER, PAGE, Filters
from orders.rights import Right
from orders.search import MatchCount
from orders.viewer import Viewer

from .filter_form import count_text


class BulkAction(NamedTuple):
    """A button: its posted value and its label."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkBar:
    """The form around a list. `query` are the parameters of the list, `rows` is their number.

    `all_label` is the number of all matches, "" if they are all on the page. If it is only a lower
    bound, `count_url` returns the exact number.
    """

    query: str
    rows: int
    is_page_checked: bool
    page_url: str
    clear_url: str
    all_label: str
    count_url: str
    actions: Sequence[BulkAction]


def may_select(viewer: Viewer) -> bool:
    """Whether the person may select orders in lists."""
    return viewer.actor.may(Right.BULK)


_ACTIONS = (
    (Right.EXTEND, BulkAction("extend", "Extend…")),
    (Right.CANCEL, BulkAction("cancel", "Cancel gifts…")),
    (Right.EXPORT, BulkAction("csv", "Download CSV")),
)


def make_bulk_bar(
    filters: Filters,
    *,
    url: str,
    rows: int,
    viewer: Viewer,
    count: MatchCount | None = None,
    has_other_pages: bool = False,
    is_page_checked: bool = False,
) -> BulkBar:
    """Return the form for a list.

    `url` is the URL of the page, `rows` its number of rows. `count` is the number of matches, None
    if unknown. Only lists from the index with further pages offer to select all matches.
    """
    is_exact = count is not None and not count.is_capped
    return BulkBar(
        query=filters.query_string,
        rows=rows,
        is_page_checked=is_page_checked,
        page_url=f"{url}{'&' if '?' in url else '?'}{CHECKED_PARAMETER}={PAGE}",
        clear_url=url,
        all_label=_all_label(count) if has_other_pages else "",
        count_url="" if is_exact else filters.url(name="selection_count"),
        actions=[action for right, action in _ACTIONS if viewer.actor.may(right)],
    )


def _all_label(count: MatchCount | None) -> str:
    return f"{count_text(count)} that match" if count else "that match"


def match_count_text(count: int) -> str:
    """Return the exact number of matches as text, or that they are too many for a selection."""
    limit: int = settings.BULK_MAX_ORDERS
    if count <= limit:
        return f"{count:,} that match"
    return f"that match: more than {limit:,}, the most that can be selected"
