"""Keeps the index up to date with Goody, without ever deleting an order.

runner.py chooses and runs the jobs that are due: full_sync.py (every order, in creation windows),
incremental_sync.py (changes from the feed) and reconcile.py (comparison of counts). A job scans
(scan.py) the windows (windows.py) of a plan, from a source (scan_plans.py). fetching.py makes
concurrent calls, batch_writer.py stores the rows, lease.py lets only one process sync, and
context.py combines these. progress.py reports the state to pages, and lets an admin resume.
"""

from .progress import (
    SyncNotStopped,
    SyncPhase,
    SyncProgress,
    is_first_run,
    read_progress,
    resume_sync,
)
from .runner import (
    Choose,
    SyncJob,
    SyncRun,
    choose_jobs_until_current,
    due_job,
    is_index_current,
    request_full_sync,
    tune_garbage_collector,
)

__all__ = [
    "Choose",
    "SyncJob",
    "SyncNotStopped",
    "SyncPhase",
    "SyncProgress",
    "SyncRun",
    "choose_jobs_until_current",
    "due_job",
    "is_first_run",
    "is_index_current",
    "read_progress",
    "request_full_sync",
    "resume_sync",
    "tune_garbage_collector",
]
