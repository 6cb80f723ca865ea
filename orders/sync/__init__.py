"""Keeps the index up to date with Goody, without ever deleting an order.

running.py chooses the jobs that are due: full_sync.py (every order, in creation windows),
incremental_sync.py (changes by the feed) and reconcile.py (comparison of counts). A job reads
windows (windows.py) by a scan (scan.py) of a plan and a source (scan_plans.py). fetching.py makes
concurrent calls, batch_writer.py stores the rows, lease.py lets one process sync, context.py
combines these. progress.py reports the state to pages, and lets an admin resume.
"""

from .progress import SyncNotStopped, SyncPhase, SyncProgress, read_progress, resume_sync
from .running import (
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
    "is_index_current",
    "read_progress",
    "request_full_sync",
    "resume_sync",
    "tune_garbage_collector",
]
