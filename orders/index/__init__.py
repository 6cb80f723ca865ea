"""Stores the orders of Goody's responses. Nothing else writes the tables of the index.

columns.py computes the columns of an order, creation_keys.py its primary key, labels.py the ids of
names and texts that orders share. diff.py compares a response with the stored rows, writing.py
upserts what differs, by the statements of rows.py and statements.py. counting.py has the queries of
the sync, and refolding.py folds stored texts again when folding has changed.
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
from .diff import Created, ResponseRows, Row, UpsertResult
from .refolding import refold
from .writing import mark_missing, upsert, upsert_responses, upsert_rows

__all__ = [
    "Created",
    "ResponseRows",
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
    "upsert_responses",
    "upsert_rows",
]
