"""Keeping the index full: the sync. Goody stays the only truth, and nothing is ever deleted here.

windows.py cuts time into creation windows and judges when one is read, reading.py reads one,
walking.py many, by plans.py from sources.py. full.py is the full sync, dating.py the second walk,
incremental.py every minute's, with feed.py and rereading.py, and reconcile.py every night's.
lease.py lets one process do it, fetching.py asks Goody side by side, intake.py writes. running.py
says what is due and does it, progress.py how far it is; consent.py is what an admin decides.
"""

from .consent import NotStopped, let_go_on
from .progress import Phase, SyncProgress, progress
from .running import Errand, Runner, collect_garbage_less

__all__ = [
    "Errand",
    "NotStopped",
    "Phase",
    "Runner",
    "SyncProgress",
    "collect_garbage_less",
    "let_go_on",
    "progress",
]
