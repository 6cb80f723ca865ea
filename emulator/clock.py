"""The emulator's time: it starts at --now, runs with real time, and can be moved.

Whole and fractional Unix seconds, UTC. Reading and writing of ISO 8601 date-times is here too.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

EARLIEST, LATEST = 315_532_800, 4_102_444_800  # 1980 and 2100; the seed's columns end in 2106.
_SHORTEST = len("2026-01-01T00:00")


def read_instant(text: str) -> float:
    """Unix seconds of an ISO 8601 date-time: Z, +0000, +00:00, fractions; UTC without an offset.

    Raises ValueError for anything else, also for a date without a time.
    """
    if len(text) < _SHORTEST or text[10:11].upper() not in ("T", " "):
        raise ValueError("not a date-time")
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except OverflowError as problem:
        raise ValueError("outside the years 1 to 9999") from problem


def possible(at: float) -> float:
    """The same Unix seconds; raises ValueError where orders could not be told any more."""
    if not EARLIEST <= at <= LATEST:  # Nor is NaN.
        raise ValueError("the clock stands between 1980 and 2100")
    return at


class Clock:
    """Runs with `tick` (monotonic seconds) from `start`; raises ValueError beyond its range."""

    def __init__(self, start: float, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._start = possible(start)
        self._tick = tick
        self._lock = Lock()
        self._base, self._since = start, tick()

    def now(self) -> float:
        with self._lock:
            return self._base + self._tick() - self._since

    def advance(self, seconds: float) -> None:
        with self._lock:
            possible(self._base + self._tick() - self._since + seconds)
            self._base += seconds

    def set(self, at: float) -> None:
        with self._lock:
            self._base, self._since = possible(at), self._tick()

    def reset(self) -> None:
        self.set(self._start)
