"""A wall clock that a test sets in another process; the monotonic clock is left alone.

Python imports this module at start-up if its folder is on PYTHONPATH. CLOCK_OFFSET_FILE names a
file with the seconds by which the wall clock is ahead.
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

_FILE = Path(os.environ["CLOCK_OFFSET_FILE"])
_BEGAN, _MONOTONIC = datetime.now(UTC), time.monotonic()


def _offset() -> float:
    return float(_FILE.read_text())


def _now(offset: float) -> datetime:
    return _BEGAN + timedelta(seconds=time.monotonic() - _MONOTONIC + offset)


def _follow(traveller: time_machine.Traveller, offset: float) -> None:
    waiting = threading.Event()
    while not waiting.wait(0.02):
        if (wanted := _offset()) != offset:
            offset = wanted
            traveller.move_to(_now(offset), tick=True)


_at_start = _offset()
_traveller = time_machine.travel(_now(_at_start), tick=True).start()
threading.Thread(target=_follow, args=(_traveller, _at_start), daemon=True).start()
