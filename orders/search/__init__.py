"""Finding orders in the index: what can be asked, how people write it, and how it is answered.

query.py is what can be asked, folding.py what makes two spellings equal, language.py the box that
people type into, windows.py its dates, wording.py a query in words, recognition.py what is found
in pasted text. All of these are pure: no database, no settings, no clock.

The others ask the database: conditions.py and matching.py make of a query what a row must fulfill,
planning.py and sizes.py decide which index is walked, and walking.py walks it. What pages call are
paging.py, counting.py, faceting.py and beside.py. sqlite.py and postgresql.py are all
that differs between the databases; budget.py ends what takes too long, and snapshot.py lets
several reads be of one moment.
"""

from .counting import Count, count_each, find_counted_page
from .deadline import SearchTimeout
from .faceting import (
    EXPIRY_PRESETS,
    CommonLabels,
    Facets,
    Named,
    common_labels,
    expiry_preset,
    facets,
)
from .hits import Hit
from .paging import Key, Page, find_page, first_found, iterate
from .related import Group, Neighbors, Related, neighbors, related
from .snapshot import snapshot

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
    "expiry_preset",
    "facets",
    "find_counted_page",
    "find_page",
    "first_found",
    "iterate",
    "neighbors",
    "related",
    "snapshot",
]
