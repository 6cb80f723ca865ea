"""How many orders match: exactly where that is cheap, otherwise up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from .conditions import CompiledQuery
from .deadline import SECONDS, Deadline, SearchTimeout, deadline
from .paging import Finder, Key, Page
from .query import Query
from .sql import all_of


class Count(NamedTuple):
    """`n`, or at least that many if `is_capped`."""

    n: int
    is_capped: bool

    def at_least(self, n: int) -> Count:
        """With what is known from elsewhere, such as a page that ends with the `n`th."""
        return self if self.n >= n else Count(n, is_capped=True)


def find_counted_page(
    query: Query,
    *,
    size: int,
    now: datetime,
    limit: int,
    at: Key | None = None,
    backwards: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> tuple[Page, Count | None]:
    """As `find_page`, and how many match, for the preparations of one: None where the page was
    found in time and the number was not. Raises SearchTimeout.
    """
    page = None
    try:
        with deadline(SECONDS, using=using) as given:
            finder = Finder(given, query, now=now)
            page = finder.page(size, at, backwards=backwards)
            if page.previous is None and page.next is None:
                return page, Count(len(page.hits), is_capped=False)
            return page, _counted(finder, limit)
    except SearchTimeout:
        if page is None:
            raise
        return page, None


def count_each(
    queries: Sequence[Query],
    *,
    now: datetime,
    limit: int,
    seconds: float,
    using: str = DEFAULT_DB_ALIAS,
) -> list[Count | None]:
    """How many orders match each query, None for those not counted within `seconds` altogether."""
    counts: list[Count | None] = []
    with suppress(SearchTimeout), deadline(seconds, using=using) as given:
        # Not a comprehension: what was counted before a timeout is kept.
        for query in queries:
            counts.append(count_within(given, query, now=now, limit=limit))  # noqa: PERF401
    return [*counts, *[None] * (len(queries) - len(counts))]


def count_within(given: Deadline, query: Query, *, now: datetime, limit: int) -> Count:
    """How many match; of more than `limit` that they are more, and where it would take long how
    many at least. Raises SearchTimeout.

    What a status or a workspace alone asks for is always counted exactly.
    """
    return _counted(Finder(given, query, now=now), limit)


def _counted(finder: Finder, limit: int) -> Count:
    if finder.asked is None:
        return Count(0, is_capped=False)
    if finder.query.without(*_KEPT).is_everything:
        return Count(_kept(finder.asking.deadline, finder.asked), is_capped=False)
    return Count(*finder.count(limit))


_KEPT = ("statuses", "without_statuses", "workspaces", "without_workspaces")


def _kept(given: Deadline, asked: CompiledQuery) -> int:
    """From the numbers that are kept in step with the orders: the columns are called the same."""
    tests = all_of(one.test for one in asked.conditions)
    sql = "SELECT coalesce(sum(n), 0) FROM orders_ordercount o"
    sql += f" WHERE {tests.text}" if tests else ""
    return int(given.rows(sql, tests.params)[0][0])
