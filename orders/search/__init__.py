"""Searching the index.

Pure modules: query.py (filters and sorts), parse.py (the text of the search box), dates.py
(its time windows), describe.py (a query in words), paste.py (ids and other names in pasted text),
email_addresses.py and pasted_links.py (e-mail addresses and links in text), completions.py (of the
search box).

Modules that read the database: conditions.py and word_conditions.py compile a query, bounds.py
narrows its ranges, execute.py executes it, and query_runner.py makes pages of the rows. context.py,
labels.py and deadline.py have the state of one search. sql.py has SQL fragments, sqlite.py and
postgresql.py the dialects of the databases. Pages call paging.py (lists and counts), facets.py,
related.py, expiring.py (sums by expiration) and spelling.py (searches for similar names).
"""

from .deadline import SearchTimeout, read_snapshot
from .facets import (
    CommonLabels,
    FacetCounts,
    common_labels,
    count_facets,
    expiry_preset_fields,
)
from .hits import Hit
from .paging import (
    count_queries,
    find_counted_page,
    find_page,
    first_query_with_matches,
    hits_by_id,
    iterate_hits,
)
from .query_runner import MatchCount, PageKey, ResultPage
from .related import Neighbors, RelatedGroup, RelatedGroups, find_neighbors, find_related_orders

__all__ = [
    "CommonLabels",
    "FacetCounts",
    "Hit",
    "MatchCount",
    "Neighbors",
    "PageKey",
    "RelatedGroup",
    "RelatedGroups",
    "ResultPage",
    "SearchTimeout",
    "common_labels",
    "count_facets",
    "count_queries",
    "expiry_preset_fields",
    "find_counted_page",
    "find_neighbors",
    "find_page",
    "find_related_orders",
    "first_query_with_matches",
    "hits_by_id",
    "iterate_hits",
    "read_snapshot",
]
