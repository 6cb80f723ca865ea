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
from orders.services import similar_searches

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


def suggest_lists(wanted: ListRequest) -> ListSuggestions:
    """Return searches for similar names, and changes of the list that have matches.

    The number of matches is None if counting takes too long.
    """
    similar = _similar(wanted)
    changed = {**_of_conditions(wanted), **_of_all(wanted)}
    counts = count_queries(
        [one.list_query.query for one in changed.values()],
        now=wanted.viewer.now,
        limit=_MAX_COUNT,
        seconds=settings.COUNTS_DEADLINE,
    )
    without = [
        ListSuggestion(label, rest.filters.url(), count)
        for (label, rest), count in zip(changed.items(), counts, strict=True)
        if count is None or count.n
    ]
    return ListSuggestions([*similar.changes, *without], similar.note)


def _similar(wanted: ListRequest) -> ListSuggestions:
    """Return searches for names and addresses that are similar to the typed ones."""
    filters, exact = wanted.filters, wanted.interpretation.box.exact
    if not filters.q or exact != Query(emails=exact.emails):
        return ListSuggestions(())
    base = wanted.list_query.query.without_fields(*_NAMED)
    found = similar_searches(filters.q, base=base, now=wanted.viewer.now)
    changes = [
        ListSuggestion(f"Did you mean {one.name}?", filters.replace(q=one.text).url(), one.count)
        for one in found.searches
    ]
    return ListSuggestions(changes, "" if found.is_complete else _TOO_LATE)


def _of_conditions(wanted: ListRequest) -> dict[str, ListRequest]:
    conditions = wanted.conditions()
    if len(conditions) < 2:
        return {}
    parts = dict(_without(wanted, one) for one in conditions)
    changed = {f"Without {name}": rest for name, rest in parts.items()}
    search_alone = Filters(q=wanted.filters.q, per_page=wanted.filters.per_page)
    known = {wanted.filters, *(one.filters for one in parts.values())}
    if wanted.filters.q and search_alone not in known:
        changed["Search among all orders"] = _with(wanted, search_alone.url())
    return changed


def _of_all(wanted: ListRequest) -> dict[str, ListRequest]:
    return {"All orders": _with(wanted, wanted.filters.without_conditions().url())}


def _without(wanted: ListRequest, one: ConditionText) -> tuple[str, ListRequest]:
    """Return a label and the list without the condition and without its alternatives."""
    rest = _with(wanted, one.remove_url)
    for field, name in _ALTERNATIVES.items():
        left = set(getattr(rest.list_query.query, field))
        if left and left < set(getattr(wanted.list_query.query, field)):
            return name, _without_alternatives(rest, field)
    return one.text, rest


def _without_alternatives(wanted: ListRequest, field: str) -> ListRequest:
    values = getattr(wanted.list_query.query, field)
    while values:
        # A one of another field leaves these values as they are.
        rests = (_with(wanted, one.remove_url) for one in wanted.conditions())
        wanted = next(
            one for one in rests if len(getattr(one.list_query.query, field)) < len(values)
        )
        values = getattr(wanted.list_query.query, field)
    return wanted


def _with(wanted: ListRequest, url: str) -> ListRequest:
    return parse_list_parameters(QueryDict(urlsplit(url).query), viewer=wanted.viewer)
