"""Kills child processes when the test run ends, even if it is killed itself (Linux)."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def kill_with_parent() -> Callable[[], None] | None:
    """Return a function for Popen(preexec_fn=...) that makes the kernel kill the orphaned child.

    Return None outside the main thread: the kernel would kill the child when that thread ends.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    return _die_with_parent


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
