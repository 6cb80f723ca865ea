"""What bounds the calls of one process: numbers, slots, breaker, retry budget.

All of it is in memory and for this process only; what must hold for all processes together is
not decided here. Times come from an injected monotonic clock, in seconds.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024 * 1024

type Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds, bytes and counts. The defaults are for production; tests shrink them."""

    connect_timeout: float = 3.0  # name lookup, TCP and TLS of one attempt together
    write_deadline: float = 30.0
    list_body: int = 5 * MIB  # after decompression
    order_body: int = 1 * MIB
    header_bytes: int = 64 * 1024
    slots: int = 2
    breaker_failures: int = 5
    breaker_probe_every: float = 30.0
    retry_base: float = 0.5
    retry_budget: float = 0.1  # retries for each call, in the long run
    retry_allowance: float = 5.0  # retries that may be saved up, and are there at the start


@dataclass(frozen=True)
class RetryPolicy:
    """How long a read may take in all, attempts and waits together, and how many attempts."""

    deadline: float
    attempts: int


PAGE = RetryPolicy(10.0, 2)
DETAIL = RetryPolicy(2.0, 1)
WORKER = RetryPolicy(15.0, 3)


class Deadline:
    """A point of the monotonic clock after which a call must not go on."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._at = clock() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left; negative afterwards."""
        return self._at - self._clock()

    @property
    def has_passed(self) -> bool:
        return self.remaining <= 0

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and `seconds` from now."""
        return Deadline(min(seconds, self.remaining), self._clock)


class Slots:
    """At most so many calls at once, served in the order of asking."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, *, timeout: float) -> bool:
        """Take a slot, waiting for it at most `timeout` seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(max(timeout, 0)):
            return True
        with self._lock:
            # It may have been handed over between the end of the wait and here.
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Give the slot to whoever has waited longest, or back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class Breaker:
    """Leaves Goody alone after failures in a row, but for one probe now and then."""

    def __init__(self, *, failures: int, probe_every: float, clock: Clock) -> None:
        self._limit = failures
        self._every = probe_every
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._failed >= self._limit

    def admits(self, *, as_probe: bool) -> bool:
        """May a call go out? While open only one every `probe_every` seconds, if it may probe."""
        with self._lock:
            if self._failed < self._limit:
                return True
            if not as_probe or self._clock() < self._next_probe:
                return False
            self._next_probe = self._clock() + self._every
            return True

    def record(self, *, is_alive: bool) -> None:
        """Goody answered, whatever it said, or it did not."""
        with self._lock:
            if is_alive:
                self._failed = 0
                return
            self._failed += 1
            if self._failed >= self._limit:
                self._next_probe = self._clock() + self._every


class RetryBudget:
    """Keeps retries below a share of the calls, so that they cannot double an overload."""

    def __init__(self, *, share: float, allowance: float) -> None:
        self._share = share
        self._most = allowance
        self._lock = threading.Lock()
        self._saved = allowance

    def earn(self) -> None:
        """A call was made."""
        with self._lock:
            self._saved = min(self._most, self._saved + self._share)

    def spend(self) -> bool:
        """Take one retry, if one is left."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True
