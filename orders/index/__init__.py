"""Keeping the index: what an answer of Goody changes in it. Nothing else writes its tables.

columns.py says what of an order becomes which column, places.py where it stands in the order of
creation, labels.py keeps the names that many orders share, copies.py compares, writing.py decides
what is written and rows.py writes it. counting.py counts what is there.
"""

from .copies import Answer, Created, Remembered, Row
from .counting import (
    count_known,
    count_unread,
    count_unread_within,
    count_within,
    has_undated,
    instant_of_newest,
    least_recently_read,
    unread,
)
from .writing import mark_missing, remember, remember_answers, remember_rows

__all__ = [
    "Answer",
    "Created",
    "Remembered",
    "Row",
    "count_known",
    "count_unread",
    "count_unread_within",
    "count_within",
    "has_undated",
    "instant_of_newest",
    "least_recently_read",
    "mark_missing",
    "remember",
    "remember_answers",
    "remember_rows",
    "unread",
]
