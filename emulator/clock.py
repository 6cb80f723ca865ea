"""The emulator's clock, and parsing and formatting of ISO 8601 date-times.

Times are Unix seconds, UTC. The clock starts at --now, runs with real time and can be set.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

EARLIEST, LATEST = 315_532_800, 4_102_444_800  # 1980 and 2100; unsigned 32-bit times end in 2106.
_MIN_LENGTH = len("2026-01-01T00:00")


def parse_datetime(text: str) -> float:
    """Unix seconds of an ISO 8601 date-time with Z, +0000, +00:00 or no offset (UTC).

    Raises ValueError for anything else, including a date without a time.
    """
    if len(text) < _MIN_LENGTH or text[10:11].upper() not in ("T", " "):
        raise ValueError("not a date-time")
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def format_datetime(at: int) -> str:
    """Unix seconds in Goody's format: "2026-06-03T12:25:15Z"."""
    return datetime.fromtimestamp(at, UTC).isoformat()[:19] + "Z"


def check_clock_range(at: float) -> float:
    """Return `at`; raises ValueError if the clock cannot be set to it."""
    if not EARLIEST <= at <= LATEST:  # False for NaN too.
        raise ValueError("the clock must be between 1980 and 2100")
    return at


class Clock:
    """A clock that starts at `start` and advances with `tick`, a monotonic clock in seconds."""

    def __init__(self, start: float, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._start = check_clock_range(start)
        self._tick = tick
        self._lock = Lock()
        self._base, self._since = start, tick()

    def now(self) -> float:
        with self._lock:
            return self._base + self._tick() - self._since

    def advance(self, seconds: float) -> None:
        """Move the clock forward, or back if negative. Raises ValueError beyond its range."""
        with self._lock:
            check_clock_range(self._base + self._tick() - self._since + seconds)
            self._base += seconds

    def set(self, at: float) -> None:
        """Set the clock to `at`, Unix seconds in UTC. Raises ValueError beyond its range."""
        with self._lock:
            self._base, self._since = check_clock_range(at), self._tick()

    def reset(self) -> None:
        self.set(self._start)
