"""Models: the index, operations, jobs, the audit, API limits, people and their saved data.

The index can be dropped and rebuilt from Goody; operations, jobs and the audit cannot.
"""

from .account import Profile, SavedView, SignInLimit
from .api_limits import ApiLimits
from .audit import AuditEntry, OrderAccess
from .finding import Finding
from .job import (
    JOB_VERSION,
    OPEN_JOB_STATES,
    RUNNABLE_JOB_STATES,
    BlockingJob,
    ItemClaim,
    ItemState,
    Job,
    JobCounts,
    JobItem,
    JobRelation,
    JobState,
    PauseReason,
)
from .labels import Label, LabelVersion, SearchText, Spelling, SpellingTrigram
from .operation import (
    BY_HAND,
    LEASED_STATES,
    OPEN_STATES,
    WITHOUT_EFFECT,
    FailureClass,
    Operation,
    OperationText,
    State,
)
from .order import (
    EXACT_SOURCES,
    CreationTimeSource,
    ExpiryRange,
    Order,
    OrderCount,
    OrderPayload,
    OtherProduct,
    WordStart,
)
from .selection import FrozenOrder, Selection
from .sync import SeenActivity, SyncState, SyncWindow
from .system import Anomaly, Heartbeat

__all__ = [
    "BY_HAND",
    "EXACT_SOURCES",
    "JOB_VERSION",
    "LEASED_STATES",
    "OPEN_JOB_STATES",
    "OPEN_STATES",
    "RUNNABLE_JOB_STATES",
    "WITHOUT_EFFECT",
    "Anomaly",
    "ApiLimits",
    "AuditEntry",
    "BlockingJob",
    "CreationTimeSource",
    "ExpiryRange",
    "FailureClass",
    "Finding",
    "FrozenOrder",
    "Heartbeat",
    "ItemClaim",
    "ItemState",
    "Job",
    "JobCounts",
    "JobItem",
    "JobRelation",
    "JobState",
    "Label",
    "LabelVersion",
    "Operation",
    "OperationText",
    "Order",
    "OrderAccess",
    "OrderCount",
    "OrderPayload",
    "OtherProduct",
    "PauseReason",
    "Profile",
    "SavedView",
    "SearchText",
    "SeenActivity",
    "Selection",
    "SignInLimit",
    "Spelling",
    "SpellingTrigram",
    "State",
    "SyncState",
    "SyncWindow",
    "WordStart",
]
