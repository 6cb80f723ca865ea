"""Let child processes end with the test run, however it ends (Linux)."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def kill_with_parent() -> Callable[[], None] | None:
    """For Popen(preexec_fn=...): the kernel kills the child when its parent thread ends.

    None outside the main thread, since other threads end before their process.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    return _die_with_parent


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
