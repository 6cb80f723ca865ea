"""Keeps the index up to date with Goody, without ever deleting an order.

running.py chooses the jobs that are due: full.py (every order, in creation windows), incremental.py
(changes by the feed) and reconcile.py (comparison of counts). A job reads windows (windows.py) by a
scan (scan.py) of a plan and a source (plans.py). fetching.py makes concurrent calls,
batch_writer.py stores the rows, lease.py lets one process sync, context.py combines these.
progress.py reports the state to pages, and lets an admin resume.
"""

from .progress import NotStopped, Phase, SyncProgress, progress, resume
from .running import (
    Choose,
    Job,
    SyncRun,
    collect_garbage_less,
    due,
    is_current,
    request_full_sync,
    until_current,
)

__all__ = [
    "Choose",
    "Job",
    "NotStopped",
    "Phase",
    "SyncProgress",
    "SyncRun",
    "collect_garbage_less",
    "due",
    "is_current",
    "progress",
    "request_full_sync",
    "resume",
    "until_current",
]
