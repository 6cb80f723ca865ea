"""Bounds on the calls of one process: limits, circuit breaker and retry budget.

They are kept in memory and apply to one process. Times are seconds of an injected monotonic clock.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024 * 1024

type Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class ClientLimits:
    """The limits of a client. Times are seconds, sizes are bytes, the others are counts."""

    connect_timeout: float = 3.0  # name resolution, TCP and TLS of one attempt
    write_deadline: float = 30.0
    list_body: int = 5 * MIB  # after decompression
    order_body: int = 1 * MIB
    header_bytes: int = 64 * 1024
    slots: int = 2  # reads at once
    write_slots: int = 2  # writes at once
    breaker_failures: int = 5
    breaker_probe_interval: float = 30.0
    retry_base: float = 0.5
    retry_budget: float = 0.1  # retries per call in the long run
    retry_allowance: float = 5.0  # highest and initial balance of the budget


@dataclass(frozen=True)
class RetryPolicy:
    """The number of attempts of a read, and the seconds for all attempts and waits."""

    deadline: float
    attempts: int


PAGE_READ_POLICY = RetryPolicy(10.0, 2)
ORDER_READ_POLICY = RetryPolicy(2.0, 1)
WORKER_READ_POLICY = RetryPolicy(15.0, 3)


class Deadline:
    """The time of the monotonic clock at which a call must end."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._at = clock() + seconds

    @property
    def remaining(self) -> float:
        """Return the seconds until the deadline; negative after it."""
        return self._at - self._clock()

    @property
    def has_passed(self) -> bool:
        return self.remaining <= 0

    def capped_at(self, seconds: float) -> "Deadline":
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(min(seconds, self.remaining), self._clock)


class CircuitBreaker:
    """A circuit breaker: opens after consecutive failures and then allows probes only."""

    def __init__(self, *, failures: int, probe_interval: float, clock: Clock) -> None:
        self._limit = failures
        self._every = probe_interval
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        with self._lock:
            return self._failed >= self._limit

    def allows_call(self, *, may_probe: bool) -> bool:
        """Whether a call is allowed; while open, one probe every `probe_interval` seconds."""
        with self._lock:
            if self._failed < self._limit:
                return True
            if not may_probe or self._clock() < self._next_probe:
                return False
            self._next_probe = self._clock() + self._every
            return True

    def record_result(self, *, is_available: bool) -> None:
        """Record whether Goody answered, with any status below 500."""
        with self._lock:
            if is_available:
                self._failed = 0
                return
            self._failed += 1
            if self._failed >= self._limit:
                self._next_probe = self._clock() + self._every


class RetryBudget:
    """Limits retries to a share of the calls, so that they do not worsen an overload."""

    def __init__(self, *, share: float, allowance: float) -> None:
        self._share = share
        self._max_balance = allowance
        self._lock = threading.Lock()
        self._balance = allowance

    def deposit(self) -> None:
        """Add a fraction of a retry to the budget, for each call."""
        with self._lock:
            self._balance = min(self._max_balance, self._balance + self._share)

    def withdraw(self) -> bool:
        """Spend one retry; return False if none is left."""
        with self._lock:
            if self._balance < 1:
                return False
            self._balance -= 1
            return True
