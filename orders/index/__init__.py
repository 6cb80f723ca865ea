"""Stores the orders of Goody's responses. Nothing else writes the tables of the index.

columns.py computes the columns of an order, creation_keys.py its primary key, labels.py the ids of
names and texts that orders share, spelling.py the words of people's names. diff.py compares a
response with the stored rows, writing.py upserts what differs, by the statements of rows.py and
statements.py. counting.py has the queries of the sync, and refolding.py folds stored texts again
when folding has changed.
"""

from .counting import (
    count_created_between,
    count_known_orders,
    count_unread_between,
    count_unread_orders,
    has_estimates_between,
    newest_created_at,
    orders_to_reread,
    unread_order_ids,
)
from .diff import CreationTime, ResponseRow, ResponseRows, UpsertResult
from .refolding import refold_orders
from .writing import mark_missing, upsert, upsert_responses, upsert_rows

__all__ = [
    "CreationTime",
    "ResponseRow",
    "ResponseRows",
    "UpsertResult",
    "count_created_between",
    "count_known_orders",
    "count_unread_between",
    "count_unread_orders",
    "has_estimates_between",
    "mark_missing",
    "newest_created_at",
    "orders_to_reread",
    "refold_orders",
    "unread_order_ids",
    "upsert",
    "upsert_responses",
    "upsert_rows",
]
