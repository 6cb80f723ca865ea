"""Jobs: one action on many orders, run by workers through the same services as a single action.

selections.py freezes the orders that a person selects. preview.py plans what an action will do with
each of them (rules.py: the new expirations, caps.py: the limits of a person), submitting.py makes
the job of a plan. undoing.py selects what a job extended.

jobs.py creates jobs and changes them for people. running.py runs their items (items.py) under a
lease (lease.py), endings.py ends them, pace.py measures how fast they run. tasks.py wakes workers
up through Django's Tasks framework, with a queue in the database (database_tasks.py) or in Redis
(redis_tasks.py).
"""

from .caps import CapReached
from .endings import describe_item_counts
from .jobs import (
    PAUSES_THAT_END,
    JobChanged,
    JobParams,
    NewItem,
    OwnJob,
    TooManyOrders,
    approval_expires_at,
    approve_job,
    create_job,
    decline_job,
    jobs_holding,
    needs_approval,
    resume_job,
    retry_failed,
    run_rest,
    stop_job,
    summary,
)
from .pace import Pace, measure_pace
from .running import run_job
from .tasks import queue_due_jobs, run_due_jobs

__all__ = [
    "PAUSES_THAT_END",
    "CapReached",
    "JobChanged",
    "JobParams",
    "NewItem",
    "OwnJob",
    "Pace",
    "TooManyOrders",
    "approval_expires_at",
    "approve_job",
    "create_job",
    "decline_job",
    "describe_item_counts",
    "jobs_holding",
    "measure_pace",
    "needs_approval",
    "queue_due_jobs",
    "resume_job",
    "retry_failed",
    "run_due_jobs",
    "run_job",
    "run_rest",
    "stop_job",
    "summary",
]
