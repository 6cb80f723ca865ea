"""The conditions of a list in words, and the names of its sorts.

Filters and terms of the search box are described in the same words. Each description has the URL of
the list without the condition; for a condition of the search box, that is without its term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from orders.days import RequestClock
from orders.list_url import CREATED_LABELS, ActiveFilter, Filters, LabelLookup, parameter_query
from orders.search.describe import Names, describe_query
from orders.search.parse import OPERATORS, ParsedQuery, ParsedTerm
from orders.search.query import Query, Sort


class ConditionText(NamedTuple):
    """A condition of a list in words, and the URL of the list without it."""

    text: str
    remove_url: str


class SearchOperatorHint(NamedTuple):
    """An operator of the search box with its explanation."""

    example: str
    meaning: str


OPERATOR_HINTS = tuple(SearchOperatorHint(one.example, one.meaning) for one in OPERATORS)

SORT_NAMES = {
    Sort.NEWEST: "newest first",
    Sort.OLDEST: "oldest first",
    Sort.EXPIRES_SOONEST: "soonest expiration first",
    Sort.EXPIRES_LATEST: "latest expiration first",
    Sort.AMOUNT_SMALLEST: "smallest amount first",
    Sort.AMOUNT_LARGEST: "largest amount first",
    Sort.RECIPIENT: "recipients from A to Z",
    Sort.RECIPIENT_REVERSED: "recipients from Z to A",
    Sort.STATUS: "by status, first steps first",
    Sort.STATUS_REVERSED: "by status, last steps first",
    Sort.BEST: "best match first",
}


def conditions_in_words(
    filters: Filters, *, box: ParsedQuery, clock: RequestClock, label_id: LabelLookup, names: Names
) -> list[ConditionText]:
    """Return one text for each condition, without duplicates of the search box and the filters."""
    without = _without_terms(filters, box, clock, names)
    for condition in _filter_conditions(filters):
        for text in _texts(condition, clock, label_id, names):
            kept, rest = without.get(text), condition[-1].without
            without[text] = _without_both(filters, kept, rest) if kept else rest
    return [ConditionText(text, rest.url()) for text, rest in without.items()]


def _filter_conditions(filters: Filters) -> Iterator[list[ActiveFilter]]:
    """Yield the filters of each condition: both ends of a window of one day, or a single one.

    The last filter of a condition has the URL of the list without the condition.
    """
    start: ActiveFilter | None = None
    for one in filters.active_filters():
        kind, _, end = one.name.rpartition("_")
        if end == "after" and one.value == getattr(filters, f"{kind}_before"):
            start = one
        elif end == "before" and start is not None:
            whole = one.without.replace(**{start.name: None})
            yield [start, one._replace(without=whole)]
            start = None
        else:
            yield [one]


def _texts(
    condition: Sequence[ActiveFilter], clock: RequestClock, label_id: LabelLookup, names: Names
) -> list[str]:
    if condition[0].name == "created":
        # A saved view keeps it relative.
        return [f"Created {CREATED_LABELS[condition[0].value].lower()}"]
    queries = (parameter_query(one.name, one.value, clock, label_id) for one in condition)
    query = reduce(Query.merged_with, queries)
    return describe_query(query, names=names, now=clock.now, zone=clock.zone)


def _without_terms(
    filters: Filters, box: ParsedQuery, clock: RequestClock, names: Names
) -> dict[str, Filters]:
    """Return the filters without the terms of each condition of the search box, by condition."""
    terms: dict[str, list[ParsedTerm]] = {}
    for term in box.terms:
        for text in describe_query(term.query, names=names, now=clock.now, zone=clock.zone):
            terms.setdefault(text, []).append(term)
    without = {text: filters.replace(q=box.text_without(some)) for text, some in terms.items()}
    # An order that is named by any of them matches, so that they are one condition.
    if exact := describe_query(box.exact, names=names, now=clock.now, zone=clock.zone):
        without[" or ".join(exact)] = filters.replace(q=box.without_exact)
    return without


def _without_both(filters: Filters, one: Filters, other: Filters) -> Filters:
    """Return `filters` with only the values that both `one` and `other` contain."""
    values = ((name, getattr(other, name)) for name in Filters._fields)
    return one.replace(**{name: value for name, value in values if value != getattr(filters, name)})
