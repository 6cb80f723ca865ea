"""Finding orders in the index: what can be asked, how people write it, and how it is answered.

query.py is what can be asked, folding.py what makes two spellings equal, language.py the box that
people type into, windows.py its dates, wording.py a query in words, recognition.py what is found
in pasted text. All of these are pure: no database, no settings, no clock.

The others ask the database: conditions.py and matching.py make of a query what a row must fulfill,
walking.py decides which index is walked, paging.py and counting.py are what pages call. sqlite.py
and postgresql.py are all that differs; budget.py ends what takes too long.
"""

from .budget import TooBroad
from .counting import Count, count
from .hits import Hit
from .paging import Key, Page, find_page, ids, iterate, last_page

__all__ = [
    "Count",
    "Hit",
    "Key",
    "Page",
    "TooBroad",
    "count",
    "find_page",
    "ids",
    "iterate",
    "last_page",
]
