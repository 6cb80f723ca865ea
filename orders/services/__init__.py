"""The one door to read from Goody and to change anything there, or here.

reading.py reads, writes.py says what a cancel and an extension are, sending.py carries one out
and closing.py ends it where Goody did not simply do it, settling.py finds out what became of one
whose answer was lost. findings.py looks up what a pasted text names, saved_views.py keeps lists
under a name, exports.py notes what is downloaded.
"""

from .anomalies import record_anomalies, record_unreadable
from .exports import Incomplete, begin_export, export_orders
from .findings import NoSuchFinding, finding_of, make_finding, sweep_findings
from .reading import (
    KeyCheck,
    ListedOrder,
    Listing,
    OrderNotFound,
    OrderView,
    apply_read,
    check_key,
    list_orders,
    mark_missing,
    refresh_order,
    stored_order,
    why_not_fresh,
)
from .saved_views import (
    ViewProblem,
    change_shared_view,
    change_view,
    delete_view,
    may_change_view,
    move_view_up,
    save_view,
    share_view,
    views_above_lists_of,
    views_of,
    withdraw_view,
)
from .searching import (
    Found,
    FoundOrder,
    Interpretation,
    find_orders,
    interpret,
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
    reconcile_lists,
    restart_evidence,
    settle_by_hand,
    settle_operation,
)
from .writes import may_undo

__all__ = [
    "FormKeyReused",
    "Found",
    "FoundOrder",
    "Incomplete",
    "Interpretation",
    "KeyCheck",
    "ListedOrder",
    "Listing",
    "NoSuchFinding",
    "NotRecorded",
    "NotSettleable",
    "OrderBusy",
    "OrderNotFound",
    "OrderView",
    "OutcomeNotRecorded",
    "ViewProblem",
    "abandon_expired",
    "apply_read",
    "begin_export",
    "cancel_order",
    "change_shared_view",
    "change_view",
    "check_key",
    "delete_view",
    "due_operations",
    "export_orders",
    "extend_order",
    "find_orders",
    "finding_of",
    "interpret",
    "list_orders",
    "make_finding",
    "mark_missing",
    "may_change_view",
    "may_undo",
    "move_view_up",
    "reconcile_lists",
    "record_anomalies",
    "record_unreadable",
    "refresh_order",
    "restart_evidence",
    "save_view",
    "settle_by_hand",
    "settle_operation",
    "share_view",
    "stored_order",
    "sweep_findings",
    "views_above_lists_of",
    "views_of",
    "why_not_fresh",
    "withdraw_view",
]
