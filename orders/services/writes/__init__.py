"""The two writes to Goody: cancel an order, change its expiration.

kinds.py defines what each of them sends, what proves it and what a read says about it. intents.py
commits the intent and send.py carries it out; transitions.py changes the state of an operation
together with the audit; resolve.py finds out by reads what became of a write whose answer was lost,
by the evidence of evidence.py; reads.py reads one order and applies the answer.
"""

from .evidence import Evidence
from .intents import FormKeyReused, NotRecorded, OrderBusy, TooManyWrites
from .kinds import may_undo
from .limit import CancelLimitReached, cancels_left, limit_ends_at
from .reads import apply_read
from .reconcile import request_reads
from .resolve import (
    NotSettleable,
    abandon_expired,
    acknowledge,
    due_operations,
    find_operation,
    is_worker_missing,
    release_landed,
    restart_schedule,
    settle_by_hand,
    settle_operation,
)
from .send import OutcomeNotRecorded, cancel_order, extend_order
from .storing import mark_missing

__all__ = [
    "CancelLimitReached",
    "Evidence",
    "FormKeyReused",
    "NotRecorded",
    "NotSettleable",
    "OrderBusy",
    "OutcomeNotRecorded",
    "TooManyWrites",
    "abandon_expired",
    "acknowledge",
    "apply_read",
    "cancel_order",
    "cancels_left",
    "due_operations",
    "extend_order",
    "find_operation",
    "is_worker_missing",
    "limit_ends_at",
    "mark_missing",
    "may_undo",
    "release_landed",
    "request_reads",
    "restart_schedule",
    "settle_by_hand",
    "settle_operation",
]
