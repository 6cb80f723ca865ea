"""The two writes to Goody: cancel an order, change its expiration.

kinds.py defines the request, the proof and the conclusions from a read for each of them. intents.py
commits the intent and send.py carries it out; transitions.py changes the state of an operation
together with the audit; resolve.py determines by reads the outcome of a write whose answer was
lost, with the evidence of evidence.py; reads.py reads one order and applies the answer.
job_items.py also stores the outcome of an operation in its item of a job.
"""

from .cancel_limit import CancelAllowance, CancelLimitReached, cancel_allowance
from .evidence import ReadEvidence
from .index_updates import mark_missing
from .intents import FormKeyReused, NotRecorded, OrderBusy, OrderInJob, TooManyWrites
from .job_items import MAX_ATTEMPTS, ClaimLost, time_of_next_attempt
from .kinds import may_undo_extension
from .reads import apply_read
from .reconcile import request_reads
from .resolve import (
    NotSettleable,
    abandon_expired_operations,
    acknowledge_notice,
    end_effect_windows,
    is_worker_missing,
    operations_due_for_reading,
    restart_read_schedule,
    settle_by_hand,
    settle_operation,
)
from .send import OutcomeNotRecorded, cancel_order, extend_order

__all__ = [
    "MAX_ATTEMPTS",
    "CancelAllowance",
    "CancelLimitReached",
    "ClaimLost",
    "FormKeyReused",
    "NotRecorded",
    "NotSettleable",
    "OrderBusy",
    "OrderInJob",
    "OutcomeNotRecorded",
    "ReadEvidence",
    "TooManyWrites",
    "abandon_expired_operations",
    "acknowledge_notice",
    "apply_read",
    "cancel_allowance",
    "cancel_order",
    "end_effect_windows",
    "extend_order",
    "is_worker_missing",
    "mark_missing",
    "may_undo_extension",
    "operations_due_for_reading",
    "request_reads",
    "restart_read_schedule",
    "settle_by_hand",
    "settle_operation",
    "time_of_next_attempt",
]
