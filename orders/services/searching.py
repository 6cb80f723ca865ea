"""Finds orders in the index and adds the writes on them. It makes no calls to Goody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Sum

from goody.types import CANCELABLE
from orders.models import Label, OrderCount
from orders.search import (
    Hit,
    MatchCount,
    PageKey,
    SearchTimeout,
    find_counted_page,
    find_page,
    first_query_with_matches,
    labels,
)
from orders.search.parse import ParsedQuery, parse_query
from orders.search.paste import PastedIdentifiers, split_identifiers_and_terms
from orders.search.query import FilterChoice, Query

from .reading import ListedOrder, add_operations_to_hits

# Higher counts are shown as "1,000+".
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class SearchResultPage:
    """A page of orders.

    `next` and `previous` are keys, None at the ends of the list. `count` is None if counting would
    have taken too long.
    """

    rows: Sequence[ListedOrder]
    next: PageKey | None
    previous: PageKey | None
    count: MatchCount | None

    @property
    def hits(self) -> list[Hit]:
        return [one.hit for one in self.rows]


@dataclass(frozen=True, slots=True)
class SearchInterpretation:
    """The meaning of the text in the search box.

    `order_id` is the order if the text identifies exactly one, for example by the address of a
    recipient with one order who sent none. `unknown_id` is an id that the index does not have.
    """

    box: ParsedQuery
    order_id: UUID | None = None
    unknown_id: UUID | None = None


def find_orders(
    query: Query, *, size: int, now: datetime, at: PageKey | None = None, is_backwards: bool = False
) -> SearchResultPage:
    """Return the page after the key, or before it when backwards.

    Without a key it is the first page, or the last. Raises SearchTimeout.
    """
    page, counted = find_counted_page(
        query, size=size, now=now, limit=MOST_COUNTED, at=at, backwards=is_backwards
    )
    return SearchResultPage(add_operations_to_hits(page.hits), page.next, page.previous, counted)


def count_all_orders() -> int:
    """Return the number of orders in the index."""
    return int(OrderCount.objects.aggregate(total=Sum("n"))["total"] or 0)


class SimilarOrders(NamedTuple):
    """The number of other open orders to the same address, and of those with the same gift.

    Both are at most MAX_SIMILAR.
    """

    total: int
    with_same_gift: int


MAX_SIMILAR = 20


def count_similar_orders(listed: ListedOrder, *, now: datetime) -> SimilarOrders:
    """Return the similar orders.

    Both numbers are 0 if the order has no e-mail address, or if the search takes too long.
    """
    hit = listed.hit
    if not hit.recipient_email:
        return SimilarOrders(0, 0)
    query = Query(emails=(hit.recipient_email,), statuses=CANCELABLE)
    try:
        found = find_page(query, size=MAX_SIMILAR + 1, now=now).hits
    except SearchTimeout:
        return SimilarOrders(0, 0)
    # The index may hold a read that is older than a cancel of ours.
    shown = [one.hit for one in add_operations_to_hits(found)]
    is_open = [one for one in shown if one.status in CANCELABLE and one.uuid != hit.uuid]
    others = is_open[:MAX_SIMILAR]
    same = [one for one in others if (one.product, one.quantity) == (hit.product, hit.quantity)]
    return SimilarOrders(len(others), len(same))


def interpret_search_text(text: str, *, now: datetime, zone: ZoneInfo) -> SearchInterpretation:
    """Return the query of a text in the search box.

    Identifiers take precedence over the other words ("Ana B <ana@example.com>"); operators and
    exclusions narrow the result. A text without identifiers is a search for its words and
    operators. Raises SearchTimeout.
    """
    pasted, rest = split_identifiers_and_terms(text)
    if not pasted.count:
        return SearchInterpretation(parse_query(text, now=now, zone=zone))
    found = None
    if next(_named(text, pasted)) != Query():
        found = first_query_with_matches(_named(text, pasted), limit=2, now=now)
    if found is None and (name := _only_text(pasted)):
        # An address that sent gifts and got none; the beginning of one, or a part.
        is_typed = pasted.is_single and not pasted.reference_starts
        words = text if is_typed else f"{name} {rest}"
        return SearchInterpretation(replace(parse_query(words, now=now, zone=zone), text=text))
    query, ids = found or (next(_named(text, pasted)), [])
    said = parse_query(rest, now=now, zone=zone)
    box = replace(
        said,
        text=text,
        query=query.merged_with(said.query),
        exact=query,
        without_exact=rest.strip(),
    )
    is_one = pasted.count == 1 and not rest
    if not ids:
        return SearchInterpretation(
            box, unknown_id=pasted.ids[0] if is_one and pasted.ids else None
        )
    is_order = is_one and len(ids) == 1 and (_names_orders(query) or _is_recipient_only(query))
    return SearchInterpretation(box, order_id=ids[0] if is_order else None)


def _only_text(pasted: PastedIdentifiers) -> str:
    """Return the only identifier if it is a reference, its beginning or an address, else ""."""
    named = (*pasted.references, *pasted.reference_starts, *pasted.emails)
    return named[0] if pasted.count == len(named) == 1 else ""


def _named(text: str, pasted: PastedIdentifiers) -> Iterator[Query]:
    """Yield the queries that the text may mean, the most likely first."""
    yield Query(
        order_ids=pasted.ids,
        references=pasted.references,
        emails=pasted.emails,
        gift_tokens=pasted.gift_tokens,
    )
    if pasted.ids:
        yield Query(batches=tuple(FilterChoice(text=str(one)) for one in pasted.ids))
        yield Query(cards=tuple(FilterChoice(text=str(one)) for one in pasted.ids))
    if pasted.references:
        # The token of a gift link alone may look like a reference.
        yield Query(gift_tokens=(*pasted.references, text.strip()))


def _is_recipient_only(query: Query) -> bool:
    """Whether the query is for the address of somebody who has sent no gift."""
    return (
        len(query.emails) == 1 and labels.find_label_id(Label.Kind.SENDER, query.emails[0]) is None
    )


def _names_orders(query: Query) -> bool:
    return bool(query.order_ids or query.references or query.gift_tokens)
