"""The options below the search box: completions, orders, and links to other lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orders.search import MatchCount
from orders.search.completions import Completion
from orders.services import SearchResultPage
from orders.sync import SyncProgress
from orders.viewer import Viewer

from .elements import Link
from .filter_form import count_text
from .highlighting import TextPart, highlight_words
from .index_list import ListQuery, ListSuggestions, suggestion_text
from .rows import OrderRow, RowBuilder

# Rows below the box; the list shows all.
MAX_ORDERS = 7


@dataclass(frozen=True, slots=True)
class SearchBoxOrder:
    """An order below the box: its row, and its texts with the searched words marked."""

    row: OrderRow
    recipient: list[TextPart]
    email: list[TextPart]
    gift: list[TextPart]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBoxOptions:
    """The options below the search box for the text `q`.

    `is_operator`: the last word has an operator, so that its completions come first. `links` lead
    to other lists. `note` is a sentence above the options, "" if there is none.
    """

    q: str
    completions: Sequence[Completion] = ()
    is_operator: bool = False
    orders: Sequence[SearchBoxOrder] = ()
    links: Sequence[Link] = ()
    note: str = ""

    @property
    def is_only(self) -> bool:
        """Whether the one order is all that was found."""
        return len(self.orders) == 1 and not self.links

    @property
    def announcement(self) -> str:
        found = len(self.orders) or len(self.completions) or len(self.links)
        options = f"{found} option{'' if found == 1 else 's'}" if found else ""
        return ". ".join(filter(None, (options, self.note.rstrip("."))))


def search_box_orders(
    found: SearchResultPage, *, list_query: ListQuery, viewer: Viewer
) -> tuple[list[SearchBoxOrder], list[Link]]:
    """Return the first orders of a first page, and the link to the list if it has more."""
    builder, query = RowBuilder(viewer, next_url=list_query.url), list_query.query
    rows = builder.build_rows(found.rows[:MAX_ORDERS], words=query.words)
    orders = [_marked(row, [*query.words, *query.emails]) for row in rows]
    links = [Link(_all_text(found.count), list_query.url)] if len(found.rows) > 1 else []
    return orders, links


def _marked(row: OrderRow, words: Sequence[str]) -> SearchBoxOrder:
    texts = (row.recipient, row.email, row.gift)
    return SearchBoxOrder(row, *(highlight_words(text, words) for text in texts))


def search_box_suggestions(
    suggestions: ListSuggestions, *, progress: SyncProgress
) -> dict[str, Any]:
    """Return the links and the note for a search without orders."""
    links = [Link(suggestion_text(one), one.url) for one in suggestions.changes]
    is_searchable = progress.is_complete and not progress.is_refolding
    found = "No order matches." if is_searchable else _NONE_SO_FAR
    return {"links": links, "note": f"{found} {suggestions.note}".strip()}


_NONE_SO_FAR = "No order found so far: not all orders can be searched yet."


def _all_text(count: MatchCount | None) -> str:
    return f"All {count_text(count)} orders" if count else "All orders found"
