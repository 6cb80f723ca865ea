"""Counts of the views that everybody has, and names that filters offer, cached for all people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.core.cache import cache

from orders import search
from orders.search import CommonLabels, MatchCount, SearchTimeout, count_queries, labels
from orders.search.query import Query

# Before the key of a view.
_PREFIX = "preset-count-"
# Seconds. Older counts are still shown, and replaced by the next page that is loaded whole.
_KEPT = 3600
_FRESH = "preset-counts-are-fresh"
_FRESH_FOR = 60


def cached_preset_counts(keys: Collection[str]) -> tuple[dict[str, MatchCount], bool]:
    """Return the cached counts by key, and whether they were updated within the last minute.

    A count is at most an hour old. Keys without a count are left out.
    """
    found = cache.get_many([_FRESH, *(f"{_PREFIX}{key}" for key in keys)])
    counts = {key: found[name] for key in keys if (name := f"{_PREFIX}{key}") in found}
    return counts, _FRESH in found


def count_presets(
    queries: Mapping[str, Query], *, limit: int, now: datetime
) -> dict[str, MatchCount]:
    """Count the matches of each query up to `limit`, and cache the counts.

    Queries that were not counted within `COUNTS_DEADLINE` are left out of the result, and the cache
    keeps their former counts.
    """
    counts = count_queries(
        list(queries.values()), now=now, limit=limit, seconds=settings.COUNTS_DEADLINE
    )
    known = {key: one for key, one in zip(queries, counts, strict=True) if one is not None}
    cache.set_many({f"{_PREFIX}{key}": count for key, count in known.items()}, _KEPT)
    cache.set(_FRESH, True, _FRESH_FOR)
    return known


_LABELS_KEY = "common-labels"
# Seconds: names change slowly; after a timeout the database is queried again soon.
_LABELS_KEPT = 300
_LABELS_KEPT_AFTER_TIMEOUT = 30
_MOST_LABELS = 10


def common_labels(*, now: datetime) -> CommonLabels:
    """Return the most common names, from a cache of five minutes.

    If that exceeds the deadline, return the alphabetically first names, or none if these exceed it
    too. `now` is aware.
    """
    known: CommonLabels | None = cache.get(_LABELS_KEY)
    if known is not None:
        return known
    try:
        found, seconds = (
            search.common_labels(now=now, seconds=settings.COUNTS_DEADLINE),
            _LABELS_KEPT,
        )
    except SearchTimeout:
        found, seconds = _by_alphabet(), _LABELS_KEPT_AFTER_TIMEOUT
    cache.set(_LABELS_KEY, found, seconds)
    return found


def _by_alphabet() -> CommonLabels:
    try:
        suggested = [
            labels.suggest_labels(kind, "", limit=_MOST_LABELS) for kind in CommonLabels._fields
        ]
    except SearchTimeout:
        return CommonLabels()
    return CommonLabels(*map(tuple, suggested))
