"""The two writes to Goody: cancel an order, change its expiration.

kinds.py defines what each of them sends, what proves it and what a read says about it. send.py
carries one out; transitions.py moves an operation from state to state together with the audit;
resolve.py finds out by reads what became of a write whose answer was lost; reads.py reads one order
and applies the answer.
"""

from .kinds import may_undo
from .reads import apply_read, mark_missing
from .resolve import (
    NotSettleable,
    abandon_expired,
    due_operations,
    reconcile_lists,
    restart_evidence,
    settle_by_hand,
    settle_operation,
)
from .send import (
    FormKeyReused,
    NotRecorded,
    OrderBusy,
    OutcomeNotRecorded,
    cancel_order,
    extend_order,
)

__all__ = [
    "FormKeyReused",
    "NotRecorded",
    "NotSettleable",
    "OrderBusy",
    "OutcomeNotRecorded",
    "abandon_expired",
    "apply_read",
    "cancel_order",
    "due_operations",
    "extend_order",
    "mark_missing",
    "may_undo",
    "reconcile_lists",
    "restart_evidence",
    "settle_by_hand",
    "settle_operation",
]
