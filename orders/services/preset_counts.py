"""The numbers beside the views that everybody has, cached for all people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

from orders.search import MatchCount, count_queries
from orders.search.query import Query

_KEY = "preset-counts"
# Seconds. Older counts are still shown, and replaced by the next page that is loaded whole.
_KEPT = 3600
_FRESH = "preset-counts-are-fresh"
_FRESH_FOR = 60


def known_counts() -> tuple[dict[str, MatchCount], bool]:
    """Return the counts by key, at most an hour old, and whether they are less than a minute old.

    A key without a count is missing.
    """
    found = cache.get_many([_KEY, _FRESH])
    counts: dict[str, MatchCount] = found.get(_KEY, {})
    return counts, _FRESH in found


def count_presets(
    queries: Mapping[str, Query], *, limit: int, now: datetime
) -> dict[str, MatchCount]:
    """Count the matches of each query up to `limit`, and cache the counts.

    Queries that were not counted within `COUNTS_DEADLINE` have no count.
    """
    counts = count_queries(
        list(queries.values()), now=now, limit=limit, seconds=settings.COUNTS_DEADLINE
    )
    known = {key: one for key, one in zip(queries, counts, strict=True) if one is not None}
    cache.set_many({_KEY: known}, _KEPT)
    cache.set(_FRESH, True, _FRESH_FOR)
    return known
