"""Pages of a list, all its orders, orders by id, and counts of queries, each within a deadline."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import batched
from uuid import UUID

from .context import SearchResources
from .deadline import SEARCH_SECONDS, SearchTimeout, time_limit
from .hits import Hit, hit_columns, make_hits
from .query import Query
from .query_runner import MatchCount, PageKey, QueryRunner, ResultPage


def find_page(
    query: Query,
    *,
    size: int,
    now: datetime,
    at: PageKey | None = None,
    backwards: bool = False,
) -> ResultPage:
    """Return the page of `size` rows after the key `at`, or the first page without a key.

    With `backwards`, return the rows before the key, or the last page. The following page starts at
    the result's `next`, the preceding one is read with `backwards` from `previous`. `now` (aware)
    decides which orders are expired. Raises SearchTimeout.
    """
    with time_limit(SEARCH_SECONDS) as deadline:
        return QueryRunner(deadline, query, now=now).find_page(size, at, backwards=backwards)


def iterate_hits(query: Query, *, chunk: int = 500, now: datetime) -> Iterator[Hit]:
    """Yield all hits in the order of the list.

    Each query for `chunk` hits has its own deadline. Raises SearchTimeout, also after the first
    hits.
    """
    at: PageKey | None = None
    while True:
        page = find_page(query, size=chunk, now=now, at=at)
        yield from page.hits
        if page.next is None:
            return
        at = page.next


def first_query_with_matches(
    queries: Iterable[Query], *, limit: int, now: datetime
) -> tuple[Query, list[UUID]] | None:
    """Return the first of the queries that has matches, and the ids of its first `limit` orders.

    Return None if no query has matches. All queries share one deadline. Raises SearchTimeout.
    """
    with time_limit(SEARCH_SECONDS) as deadline:
        for query in queries:
            if rows := QueryRunner(deadline, query, now=now).fetch_rows(limit, selected="o.uuid"):
                return query, [UUID(str(row[2])) for row in rows]
    return None


def find_counted_page(
    query: Query,
    *,
    size: int,
    now: datetime,
    limit: int,
    at: PageKey | None = None,
    backwards: bool = False,
) -> tuple[ResultPage, MatchCount | None]:
    """Return a page as `find_page` does, and the number of matches, exact up to `limit`.

    The count is None if only the page was found before the deadline. Raises SearchTimeout.
    """
    page = None
    try:
        with time_limit(SEARCH_SECONDS) as deadline:
            finder = QueryRunner(deadline, query, now=now)
            page = finder.find_page(size, at, backwards=backwards)
            if page.previous is None and page.next is None:
                return page, MatchCount(len(page.hits), is_capped=False)
            return page, finder.count_matches(limit)
    except SearchTimeout:
        if page is None:
            raise
        return page, None


def count_queries(
    queries: Sequence[Query],
    *,
    now: datetime,
    limit: int,
    seconds: float,
) -> list[MatchCount | None]:
    """Return the number of matches of each query.

    It is None for queries that were not counted within `seconds` for all together.
    """
    counts: list[MatchCount | None] = []
    with suppress(SearchTimeout), time_limit(seconds) as deadline:
        # A loop instead of a comprehension, which would lose the counts before a timeout.
        for query in queries:
            counts.append(QueryRunner(deadline, query, now=now).count_matches(limit))  # noqa: PERF401
    return [*counts, *[None] * (len(queries) - len(counts))]


# Orders in one query, and the deadline of all queries.
_IDS_AT_ONCE = 1000
_BY_ID_SECONDS = 5.0


def hits_by_id(
    order_ids: Collection[UUID],
) -> dict[UUID, tuple[Hit, str]]:
    """Return (hit, content hash) by id for the orders that the index contains.

    Raises SearchTimeout.
    """
    found: dict[UUID, tuple[Hit, str]] = {}
    with time_limit(_BY_ID_SECONDS) as deadline:
        context = SearchResources(deadline)
        for some in batched(order_ids, _IDS_AT_ONCE):
            found.update(_read_by_id(context, some))
    return found


def _read_by_id(
    context: SearchResources, order_ids: tuple[UUID, ...]
) -> Iterator[tuple[UUID, tuple[Hit, str]]]:
    among = context.dialect.value_in("o.uuid", order_ids)
    columns = f"o.content_hash, {hit_columns(context.dialect)}"
    rows = context.deadline.fetch_rows(
        f"SELECT {columns} FROM orders_order o WHERE {among.text}",  # noqa: S608
        among.params,
    )
    hits = make_hits(rows, context.labels, vendor=context.deadline.vendor)
    for row, hit in zip(rows, hits, strict=True):
        yield hit.uuid, (hit, row[0])
