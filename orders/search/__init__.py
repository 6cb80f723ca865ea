"""Searching the index.

Pure modules: query.py (what can be searched for), parse.py (the text of the search box), dates.py
(its time windows), describe.py (a query in words), paste.py (ids and other names in pasted text),
addresses.py and links.py (e-mail addresses and links in text).

Modules that read the database: conditions.py and words.py compile a query, bounds.py narrows its
ranges, execute.py executes it by the counts of statistics.py; context.py, labels.py and deadline.py
hold what one search needs; sql.py has SQL fragments, sqlite.py and postgresql.py what differs
between the databases. Pages call paging.py (lists and counts), facets.py and related.py.
"""

from .deadline import SearchTimeout, snapshot
from .facets import (
    EXPIRY_PRESETS,
    CommonLabels,
    Facets,
    Named,
    common_labels,
    count_facets,
    expiry_preset,
)
from .hits import Hit
from .paging import Count, Key, Page, count_each, find_counted_page, find_page, first_found, iterate
from .related import Group, Neighbors, Related, neighbors, related

__all__ = [
    "EXPIRY_PRESETS",
    "CommonLabels",
    "Count",
    "Facets",
    "Group",
    "Hit",
    "Key",
    "Named",
    "Neighbors",
    "Page",
    "Related",
    "SearchTimeout",
    "common_labels",
    "count_each",
    "count_facets",
    "expiry_preset",
    "find_counted_page",
    "find_page",
    "first_found",
    "iterate",
    "neighbors",
    "related",
    "snapshot",
]
