"""Jobs: one action on many orders, run by workers through the same services as a single action.

selections.py stores the orders that a person selects, undo.py those that a job extended. preview.py
plans the action for each of them, limits.py has the limits of a person, submit.py creates the job
of a plan.

jobs.py creates jobs and changes them for people, reruns.py creates a job of the items that an ended
one has left. runner.py runs their items (items.py) under a lease (lease.py), job_end.py ends them,
progress.py reports how far they are. tasks.py wakes workers up through Django's Tasks framework,
with a queue in the database (database_tasks.py) or in Redis (redis_tasks.py).
"""

from .jobs import (
    PAUSES_THAT_END,
    JobChanged,
    JobParams,
    NewItem,
    SelfApproval,
    TooManyOrders,
    approval_expires_at,
    approve_job,
    blocking_jobs_by_order,
    create_job,
    decline_job,
    needs_approval,
    resume_job,
    stop_job,
)
from .limits import BulkLimitReached
from .progress import CurrentJobs, JobProgress, Pace, current_jobs, job_progress, measure_pace
from .reruns import items_to_run_again, retry_failed, run_remaining
from .tasks import is_queue_reachable, queue_due_jobs, run_due_jobs

__all__ = [
    "PAUSES_THAT_END",
    "BulkLimitReached",
    "CurrentJobs",
    "JobChanged",
    "JobParams",
    "JobProgress",
    "NewItem",
    "Pace",
    "SelfApproval",
    "TooManyOrders",
    "approval_expires_at",
    "approve_job",
    "blocking_jobs_by_order",
    "create_job",
    "current_jobs",
    "decline_job",
    "is_queue_reachable",
    "items_to_run_again",
    "job_progress",
    "measure_pace",
    "needs_approval",
    "queue_due_jobs",
    "resume_job",
    "retry_failed",
    "run_due_jobs",
    "run_remaining",
    "stop_job",
]
