"""The one door to read from Goody and to change anything there.

reading.py reads, writes.py says what a cancel and an extension are, sending.py carries one out
and closing.py ends it where Goody did not simply do it, settling.py finds out what became of one
whose answer was lost.
"""

from .oddities import note_oddities
from .reading import (
    KeyCheck,
    ListedOrder,
    Listing,
    OrderNotFound,
    OrderView,
    check_key,
    list_orders,
    mark_missing,
    refresh_order,
    stored_order,
    take_in,
    why_not_fresh,
)
from .searching import (
    Found,
    FoundOrder,
    Understood,
    find_orders,
    look_at_page,
    understand,
)
from .sending import (
    FormKeyReused,
    NotRecorded,
    OrderBusy,
    OutcomeNotRecorded,
    cancel_order,
    extend_order,
)
from .settling import (
    NotSettleable,
    abandon_expired,
    due_operations,
    learn_from_list,
    restart_evidence,
    settle_by_hand,
    settle_operation,
)
from .writes import may_undo

__all__ = [
    "FormKeyReused",
    "Found",
    "FoundOrder",
    "KeyCheck",
    "ListedOrder",
    "Listing",
    "NotRecorded",
    "NotSettleable",
    "OrderBusy",
    "OrderNotFound",
    "OrderView",
    "OutcomeNotRecorded",
    "Understood",
    "abandon_expired",
    "cancel_order",
    "check_key",
    "due_operations",
    "extend_order",
    "find_orders",
    "learn_from_list",
    "list_orders",
    "look_at_page",
    "mark_missing",
    "may_undo",
    "note_oddities",
    "refresh_order",
    "restart_evidence",
    "settle_by_hand",
    "settle_operation",
    "stored_order",
    "take_in",
    "understand",
    "why_not_fresh",
]
