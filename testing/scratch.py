"""Folders for test databases, in memory where the machine has a RAM disk.

The dashboard waits for the disk before it calls Goody, thousands of times in a test run.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH = 2 * 2**30


def make_folder(prefix: str) -> Path:
    """Create a temporary folder; the caller removes it."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if _has_memory() else None))


def _has_memory() -> bool:
    return os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH
