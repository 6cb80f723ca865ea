"""Keeping the index full: the sync. Goody stays the only truth, and nothing is ever deleted here.

windows.py cuts time into creation windows and judges when one is read, reading.py reads one,
walking.py many, from sources.py; full.py is the full sync. lease.py lets one process do it,
fetching.py asks Goody side by side, intake.py writes. running.py says what is due and does it,
progress.py how far it is.
"""

from .progress import Phase, SyncProgress, progress
from .running import Errand, Runner

__all__ = ["Errand", "Phase", "Runner", "SyncProgress", "progress"]
