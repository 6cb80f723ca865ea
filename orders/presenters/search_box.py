"""The options below the search box: completions, orders, and links to other lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from orders.search import MatchCount
from orders.search.completions import Completion
from orders.services import SearchResultPage
from orders.sync import SyncProgress
from orders.text import MAX_WORD_START_LENGTH, fold_text
from orders.viewer import Viewer

from .elements import Link
from .filter_form import count_text
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


class TextPart(NamedTuple):
    text: str
    is_match: bool


def highlight_words(text: str, words: Iterable[str]) -> list[TextPart]:
    """Split a text into parts, of which those that match one of the folded words are marked.

    A word of one or two letters matches only the start of a word, as in a search. Other spellings
    (Mueller for Müller) are not highlighted.
    """
    folded, places = _fold_by_character(text)
    marked = [False] * len(text)
    for word in words:
        for start in _occurrences(folded, word):
            end = places[start + len(word)]
            marked[places[start] : end] = [True] * (end - places[start])
    return list(_parts(text, marked))


def _fold_by_character(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and the place in the text of each folded character and of the end."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        letters = " " if character.isspace() else fold_text(character)
        folded += letters
        places += [place] * len(letters)
    return "".join(folded), [*places, len(text)]


def _occurrences(folded: str, word: str) -> Iterator[int]:
    start = folded.find(word) if word else -1
    while start >= 0:
        is_start = start == 0 or not folded[start - 1].isalnum()
        if len(word) > MAX_WORD_START_LENGTH or is_start:
            yield start
        start = folded.find(word, start + 1)


def _parts(text: str, marked: Sequence[bool]) -> Iterator[TextPart]:
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or marked[place] != marked[start]:
            yield TextPart(text[start:place], marked[start])
            start = place
