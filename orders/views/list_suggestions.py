"""Suggests changes of a list without matches, with the number of orders of each change."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import QueryDict

from orders.list_url import Filters
from orders.presenters.condition_texts import ConditionText
from orders.presenters.index_list import ListSuggestion, ListSuggestions
from orders.search import count_queries
from orders.search.query import Query
from orders.search.spelling import similar_searches

from .list_request import ListRequest, parse_list_parameters

_MAX_COUNT = 1000
# Fields whose values are alternatives: without one of several, the list would only be narrower.
_ALTERNATIVES = {
    "statuses": "Status",
    "workspaces": "Workspace",
    "batches": "Batch",
    "senders": "Sender",
    "products": "Product",
    "brands": "Brand",
    "cards": "Card",
    "tickets": "Ticket",
}


# Fields that words and identifiers of the search box set.
_NAMED = ("words", "names", "order_ids", "references", "emails", "gift_tokens")
_TOO_LATE = "Looking for similar names took too long."


def suggest_lists(list_request: ListRequest) -> ListSuggestions:
    """Return searches for similar names, and changes of the list that have matches.

    The number of matches is None if counting takes too long.
    """
    similar = _similar(list_request)
    changed = {**_of_conditions(list_request), **_of_all(list_request)}
    counts = count_queries(
        [one.list_query.query for one in changed.values()],
        now=list_request.viewer.now,
        limit=_MAX_COUNT,
        seconds=settings.COUNTS_DEADLINE,
    )
    without = [
        ListSuggestion(label, rest.filters.url(), count)
        for (label, rest), count in zip(changed.items(), counts, strict=True)
        if count is None or count.n
    ]
    return ListSuggestions([*similar.changes, *without], similar.note)


def _similar(list_request: ListRequest) -> ListSuggestions:
    """Return searches for names and addresses that are similar to the typed ones."""
    filters, exact = list_request.filters, list_request.interpretation.box.exact
    if not filters.q or exact != Query(emails=exact.emails):
        return ListSuggestions(())
    base = list_request.list_query.query.without_fields(*_NAMED)
    found = similar_searches(filters.q, base=base, now=list_request.viewer.now)
    changes = [
        ListSuggestion(f"Did you mean {one.name}?", filters.replace(q=one.text).url(), one.count)
        for one in found.searches
    ]
    return ListSuggestions(changes, "" if found.is_complete else _TOO_LATE)


def _of_conditions(list_request: ListRequest) -> dict[str, ListRequest]:
    conditions = list_request.conditions()
    if len(conditions) < 2:
        return {}
    parts = dict(_without(list_request, one) for one in conditions)
    changed = {f"Without {name}": rest for name, rest in parts.items()}
    search_alone = Filters(q=list_request.filters.q, per_page=list_request.filters.per_page)
    known = {list_request.filters, *(one.filters for one in parts.values())}
    if list_request.filters.q and search_alone not in known:
        changed["Search among all orders"] = _with(list_request, search_alone.url())
    return changed


def _of_all(list_request: ListRequest) -> dict[str, ListRequest]:
    return {"All orders": _with(list_request, list_request.filters.without_conditions().url())}


def _without(list_request: ListRequest, one: ConditionText) -> tuple[str, ListRequest]:
    """Return a label and the list without the condition and without its alternatives."""
    rest = _with(list_request, one.remove_url)
    for field, name in _ALTERNATIVES.items():
        left = set(getattr(rest.list_query.query, field))
        if left and left < set(getattr(list_request.list_query.query, field)):
            return name, _without_alternatives(rest, field)
    return one.text, rest


def _without_alternatives(list_request: ListRequest, field: str) -> ListRequest:
    values = getattr(list_request.list_query.query, field)
    while values:
        # A one of another field leaves these values as they are.
        rests = (_with(list_request, one.remove_url) for one in list_request.conditions())
        list_request = next(
            one for one in rests if len(getattr(one.list_query.query, field)) < len(values)
        )
        values = getattr(list_request.list_query.query, field)
    return list_request


def _with(list_request: ListRequest, url: str) -> ListRequest:
    return parse_list_parameters(QueryDict(urlsplit(url).query), viewer=list_request.viewer)
