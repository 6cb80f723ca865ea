"""The names that the filters of a list offer before their counts are known."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.cache import cache

from orders import search
from orders.search import CommonLabels, SearchTimeout, labels

_KEY = "common-labels"
# Seconds: names change slowly, and a busy database is asked again soon.
_KEPT = 300
_KEPT_AFTER_TIMEOUT = 30
_MOST = 10


def common_labels(*, now: datetime) -> CommonLabels:
    """Return the most common names, up to five minutes old.

    If the database is too busy, return the first names by alphabet, or none if even that takes too
    long. `now` is aware.
    """
    known: CommonLabels | None = cache.get(_KEY)
    if known is not None:
        return known
    try:
        found, seconds = search.common_labels(now=now, seconds=settings.COUNTS_DEADLINE), _KEPT
    except SearchTimeout:
        found, seconds = _by_alphabet(), _KEPT_AFTER_TIMEOUT
    cache.set(_KEY, found, seconds)
    return found


def _by_alphabet() -> CommonLabels:
    try:
        suggested = [labels.suggest_labels(kind, "", limit=_MOST) for kind in CommonLabels._fields]
    except SearchTimeout:
        return CommonLabels()
    return CommonLabels(*map(tuple, suggested))
