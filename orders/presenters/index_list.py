"""A page of the list from the index: rows, count, pager, and the explanation of an empty page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.urls import reverse

from orders.list_url import Filters, IndexPosition
from orders.search import MatchCount, PageKey
from orders.search.query import Query
from orders.services import SearchResultPage
from orders.viewer import Viewer

from .condition_texts import SORT_NAMES, ConditionText
from .elements import Link
from .filter_form import count_text
from .freshness import FreshnessNotes
from .list_page import EmptyList, ListPage, Pager, page_size_links, time_zone_sentence
from .page_changes import page_token
from .rows import RowBuilder


@dataclass(frozen=True, slots=True)
class ListSuggestion:
    """A suggested change of a list without rows.

    `count` is the number of orders that it would show, None if unknown.
    """

    label: str
    url: str
    count: MatchCount | None


@dataclass(frozen=True, slots=True)
class ListSuggestions:
    """The suggested changes. `note` is a sentence if the search for them exceeded its deadline."""

    changes: Sequence[ListSuggestion]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """The query of a list. `position` comes from the URL; None is the first page."""

    filters: Filters
    query: Query
    position: IndexPosition | None

    @property
    def url(self) -> str:
        return self._url("order_list")

    @property
    def changes_url(self) -> str:
        return self._url("order_changes")

    def _url(self, name: str) -> str:
        position = self.position.serialize() if self.position else ""
        return self.filters.url(position=position, name=name)


def index_page(
    result: SearchResultPage,
    *,
    list_query: ListQuery,
    freshness: FreshnessNotes,
    viewer: Viewer,
    total: int | None,
) -> ListPage:
    """Return a page from the index. `total` is the number of all orders, None if all match."""
    result = _with_lower_bound(result, list_query)
    pager = _pager(result, list_query)
    count = _count_text(result.count, total, is_complete=freshness.is_complete)
    has_other_pages = result.previous is not None or result.next is not None
    sort_name = SORT_NAMES[list_query.query.effective_sort]
    return ListPage(
        rows=RowBuilder(viewer).build_rows(result.rows, words=list_query.query.words),
        caption=f"Orders, {sort_name}. {pager.place}. {time_zone_sentence(viewer)}",
        count=count,
        number=count_text(result.count) if result.count else "",
        announcement=f"{_orders_text(result.count)}. {pager.place}.",
        pager=pager if has_other_pages else None,
        note=freshness.note,
        banners=freshness.banners,
        empty=None,
        url=list_query.url,
        changes_url=_changes_url(result, list_query),
        match_count=result.count,
    )


def page_without_rows(
    why: EmptyList, *, list_query: ListQuery, freshness: FreshnessNotes
) -> ListPage:
    return ListPage(
        rows=(),
        caption="",
        count="",
        announcement=why.title,
        pager=None,
        note=freshness.note,
        banners=freshness.banners,
        empty=why,
        url=list_query.url,
    )


def _with_lower_bound(result: SearchResultPage, list_query: ListQuery) -> SearchResultPage:
    """Return `found` with a count that covers at least the rows up to this page.

    The count may be an estimate.
    """
    if result.count is None:
        return result
    before = max(0, _ordinal(result, list_query) - 1)
    return replace(result, count=result.count.at_least(before + len(result.rows)))


def _changes_url(result: SearchResultPage, list_query: ListQuery) -> str:
    url = list_query.changes_url
    return f"{url}{'&' if '?' in url else '?'}poll={page_token(result.hits)}"


def _count_text(count: MatchCount | None, total: int | None, *, is_complete: bool) -> str:
    """Return the count as "112 of 5,000", or "5,000" if all orders match: beside the title."""
    if count is None:
        return _orders_text(count)
    text = count_text(count) if total is None else f"{count_text(count)} of {max(total, count.n):,}"
    return text if is_complete else f"{text} imported so far"


def _orders_text(count: MatchCount | None) -> str:
    if count is None:
        return "Too many to count"
    is_one = count.n == 1 and not count.is_capped
    return f"{count_text(count)} order{'' if is_one else 's'}"


def _pager(result: SearchResultPage, list_query: ListQuery) -> Pager:
    filters, size = list_query.filters, list_query.filters.per_page
    first = _ordinal(result, list_query)

    def page_url(key: PageKey | None, *, ordinal: int, is_backwards: bool) -> str:
        position = IndexPosition(
            key=key,
            sort=list_query.query.effective_sort,
            ordinal=ordinal,
            is_backwards=is_backwards,
        )
        return filters.url(position=position.serialize())

    after = first + len(result.rows) if first else 0
    before = max(1, first - size) if first else 0
    return Pager(
        place=_range_text(result, first),
        first=filters.url() if result.previous else "",
        previous=page_url(result.previous, ordinal=before, is_backwards=True)
        if result.previous
        else "",
        next=page_url(result.next, ordinal=after, is_backwards=False) if result.next else "",
        last=page_url(None, ordinal=0, is_backwards=True) if result.next else "",
        sizes=page_size_links(filters),
        size=str(size),
    )


def _ordinal(result: SearchResultPage, list_query: ListQuery) -> int:
    """Return the number of the page's first row within the whole list (from 1), 0 if unknown."""
    if result.previous is None:
        return 1
    count, is_last = result.count, result.next is None
    if is_last and count is not None and not count.is_capped:
        return max(1, count.n - len(result.rows) + 1)
    # At least 2: orders created since precede the page that was shown as the first.
    return (
        max(2, list_query.position.ordinal)
        if list_query.position and list_query.position.ordinal
        else 0
    )


def _range_text(result: SearchResultPage, first: int) -> str:
    rows = len(result.rows)
    if not rows:
        return "Nothing here"
    if not first:
        return f"The last {rows:,}" if result.next is None else f"{rows:,} orders"
    numbers = f"{first:,}–{first + rows - 1:,}" if rows > 1 else f"{first:,}"
    return numbers if result.count is None else f"{numbers} of {count_text(result.count)}"


# --- empty pages ------------------------------------------------------------------------------


def explain_empty_page(
    list_query: ListQuery,
    conditions: Sequence[ConditionText],
    freshness: FreshnessNotes,
    *,
    suggestions: Callable[[], ListSuggestions],
) -> EmptyList:
    """Return the explanation of an empty page of the index.

    `suggestions` is called only if nothing matches.
    """
    if list_query.position is not None and list_query.position.key is not None:
        return EmptyList(
            title="There are no more orders",
            sentence="Those that were here have moved, or do not match any more.",
            links=[Link("First page", list_query.filters.url())],
        )
    if conditions:
        return _no_match(list_query.filters, conditions, suggestions())
    if freshness.is_complete:
        return EmptyList(
            title="There are no orders yet",
            sentence="This account has none. Gifts that are sent appear here.",
        )
    return EmptyList(
        title="No order has been imported yet",
        sentence="What is searched, filtered and sorted is a copy of Goody's orders, which is "
        "empty so far.",
        links=[Link("All orders as Goody lists them", Filters().url())],
    )


def _no_match(
    filters: Filters, conditions: Sequence[ConditionText], suggestions: ListSuggestions
) -> EmptyList:
    looked_for = "; ".join(one.text for one in conditions)
    is_in_title = looked_for == f"“{filters.q}”"
    sentence = "" if is_in_title else f"Looked for: {looked_for}."
    return EmptyList(
        title=f"No order matches {looked_for}" if is_in_title else "No order matches",
        sentence=f"{sentence} {suggestions.note}".strip(),
        links=[Link(suggestion_text(one), one.url) for one in suggestions.changes],
    )


def suggestion_text(suggestion: ListSuggestion) -> str:
    if suggestion.count is None:
        return suggestion.label
    return f"{suggestion.label} ({_orders_text(suggestion.count)})"


def empty_list_after_timeout(filters: Filters) -> EmptyList:
    return EmptyList(
        title="Too broad: add a date or a status",
        sentence="This search goes through too many orders to be answered at once.",
        links=[Link("All orders", filters.without_conditions().url())],
    )


def empty_list_for_unknown_id(order_id: UUID) -> EmptyList:
    return EmptyList(
        title="Goody does not know it either",
        sentence=f"No order with the id {order_id} is in our copy, and Goody was asked just now. "
        "Is this the right environment, and was the id copied whole?",
        links=[Link("All orders", Filters().url())],
    )


def empty_list_for_unread_id(order_id: UUID, reason: str) -> EmptyList:
    """Return the empty page for an id that could not be requested from Goody.

    `reason` is the start of a sentence.
    """
    return EmptyList(
        title="This id is not in our copy, and Goody could not be asked",
        sentence=f"{reason}.",
        links=[Link("Ask again", reverse("order_detail", args=[order_id]))],
    )
