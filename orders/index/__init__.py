"""Stores the orders of Goody's responses. Nothing else writes the tables of the index.

columns.py computes the columns of an order, creation_keys.py its primary key, labels.py the ids of
names and texts that orders share, and the words of people's names. diff.py compares a
response with the stored rows, writing.py upserts what differs, by the statements of rows.py and
statements.py. counting.py has the queries of the sync, and refolding.py folds stored texts again
when folding has changed.
"""

from .counting import (
    count_created_between,
    count_known_orders,
    count_orders_not_read,
    count_orders_not_read_between,
    has_estimates_between,
    newest_created_at,
    order_ids_not_read_since,
    orders_to_reread,
)
from .diff import CreationTime, OrderOfResponse, OrdersOfResponse, UpsertResult
from .refolding import refold_orders
from .writing import mark_missing, upsert_orders, upsert_responses, upsert_rows

__all__ = [
    "CreationTime",
    "OrderOfResponse",
    "OrdersOfResponse",
    "UpsertResult",
    "count_created_between",
    "count_known_orders",
    "count_orders_not_read",
    "count_orders_not_read_between",
    "has_estimates_between",
    "mark_missing",
    "newest_created_at",
    "order_ids_not_read_since",
    "orders_to_reread",
    "refold_orders",
    "upsert_orders",
    "upsert_responses",
    "upsert_rows",
]
