"""Keeping the index: what an answer of Goody changes in it. Nothing else writes its tables.

columns.py says what of an order becomes which column, places.py where it stands in the order of
creation, labels.py keeps the names that many orders share, copies.py compares, writing.py decides
what is written and rows.py writes it. counting.py counts what is there, and refolding.py folds it
again when folding has changed.
"""

from .counting import (
    count_between,
    count_known,
    count_unread,
    count_unread_between,
    has_estimates_between,
    least_recently_read,
    newest_created_at,
    unread,
)
from .diff import Answer, Created, Row, UpsertResult
from .refolding import refold
from .writing import mark_missing, upsert, upsert_answers, upsert_rows

__all__ = [
    "Answer",
    "Created",
    "Row",
    "UpsertResult",
    "count_between",
    "count_known",
    "count_unread",
    "count_unread_between",
    "has_estimates_between",
    "least_recently_read",
    "mark_missing",
    "newest_created_at",
    "refold",
    "unread",
    "upsert",
    "upsert_answers",
    "upsert_rows",
]
