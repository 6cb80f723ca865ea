"""Reads orders from Goody and makes every change, at Goody or here.

reading.py reads. writes/ holds the two writes: their kinds, sending one, its state transitions, and
resolving an outcome that is unknown. searching.py, findings.py, saved_views.py and exports.py serve
the lists, indexed_orders.py bulk actions, frame.py the frame of every page; key_check.py checks the
API key, anomalies.py counts undocumented content.
"""

from .anomalies import record_anomalies, record_unreadable
from .cached_counts import cached_preset_counts, common_labels, count_presets
from .exports import ExportIncomplete, export_orders, record_export_end, start_export
from .findings import (
    FindingNotFound,
    create_finding,
    create_search_finding,
    delete_expired_findings,
    get_finding,
)
from .frame import FrameData, read_frame_data
from .indexed_orders import IndexedOrder, indexed_orders, matching_order_ids, stored_snapshots
from .key_check import ApiKeyCheck, check_api_key
from .reading import (
    ListedOrder,
    LivePage,
    OperationWithOrder,
    OrderNotFound,
    OrderWithOperations,
    add_operations_to_hits,
    find_operation,
    list_orders,
    listed_order,
    refresh_order,
    stale_copy_reason,
    stored_order,
)
from .saved_views import (
    InvalidSavedView,
    change_shared_view,
    change_view,
    delete_view,
    may_change_view,
    move_view_up,
    save_view,
    share_view,
    views_for_list_page,
    visible_views,
    withdraw_view,
)
from .searching import (
    SearchInterpretation,
    SearchResultPage,
    SimilarOrders,
    count_all_orders,
    count_similar_orders,
    find_orders,
    interpret_search_text,
)
from .writes.cancel_limit import CancelAllowance, CancelLimitReached, cancel_allowance
from .writes.evidence import ReadEvidence
from .writes.index_updates import mark_missing
from .writes.intents import FormKeyReused, NotRecorded, OrderBusy, OrderInJob, TooManyWrites
from .writes.job_items import MAX_ATTEMPTS, ClaimLost, time_of_next_attempt
from .writes.kinds import may_undo_extension
from .writes.reads import apply_read
from .writes.reconcile import request_reads
from .writes.resolve import (
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
from .writes.send import OutcomeNotRecorded, cancel_order, extend_order

__all__ = [
    "MAX_ATTEMPTS",
    "ApiKeyCheck",
    "CancelAllowance",
    "CancelLimitReached",
    "ClaimLost",
    "ExportIncomplete",
    "FindingNotFound",
    "FormKeyReused",
    "FrameData",
    "IndexedOrder",
    "InvalidSavedView",
    "ListedOrder",
    "LivePage",
    "NotRecorded",
    "NotSettleable",
    "OperationWithOrder",
    "OrderBusy",
    "OrderInJob",
    "OrderNotFound",
    "OrderWithOperations",
    "OutcomeNotRecorded",
    "ReadEvidence",
    "SearchInterpretation",
    "SearchResultPage",
    "SimilarOrders",
    "TooManyWrites",
    "abandon_expired_operations",
    "acknowledge_notice",
    "add_operations_to_hits",
    "apply_read",
    "cached_preset_counts",
    "cancel_allowance",
    "cancel_order",
    "change_shared_view",
    "change_view",
    "check_api_key",
    "common_labels",
    "count_all_orders",
    "count_presets",
    "count_similar_orders",
    "create_finding",
    "create_search_finding",
    "delete_expired_findings",
    "delete_view",
    "end_effect_windows",
    "export_orders",
    "extend_order",
    "find_operation",
    "find_orders",
    "get_finding",
    "indexed_orders",
    "interpret_search_text",
    "is_worker_missing",
    "list_orders",
    "listed_order",
    "mark_missing",
    "matching_order_ids",
    "may_change_view",
    "may_undo_extension",
    "move_view_up",
    "operations_due_for_reading",
    "read_frame_data",
    "record_anomalies",
    "record_export_end",
    "record_unreadable",
    "refresh_order",
    "request_reads",
    "restart_read_schedule",
    "save_view",
    "settle_by_hand",
    "settle_operation",
    "share_view",
    "stale_copy_reason",
    "start_export",
    "stored_order",
    "stored_snapshots",
    "time_of_next_attempt",
    "views_for_list_page",
    "visible_views",
    "withdraw_view",
]
