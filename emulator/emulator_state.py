"""The state of a running emulator, which a reset restores, and the log of its calls."""

from collections import Counter, deque
from threading import Event, Lock
from typing import Any

from emulator.faults import FaultRules
from emulator.late_requests import LateRequests
from emulator.store import OrderStore

_MAX_RECENT = 2_000


class CallLog:
    """Counts by method and route, the latest calls, and the highest concurrency. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self.clear()

    def clear(self) -> None:
        self._counts: Counter[str] = Counter()
        self._recent: deque[dict[str, Any]] = deque(maxlen=_MAX_RECENT)
        self._max_concurrent = 0

    def begin_call(self, route: str, *, path: str, query: str, at: str) -> None:
        with self._lock:
            self._counts[route] += 1
            self._recent.append({"at": at, "route": route, "path": path, "query": query})
            self._running += 1
            self._max_concurrent = max(self._max_concurrent, self._running)

    def end_call(self) -> None:
        with self._lock:
            self._running -= 1

    def summary(self) -> dict[str, Any]:
        """Return `counts` by method and route, `total`, `posts`, `max_concurrent` and `recent`.

        `recent` has the latest calls, oldest first.
        """
        with self._lock:
            posts = sum(n for name, n in self._counts.items() if name.startswith("POST "))
            return {
                "counts": dict(self._counts),
                "total": self._counts.total(),
                "posts": posts,
                "max_concurrent": self._max_concurrent,
                "recent": list(self._recent),
            }


class EmulatorState:
    """The orders, fault rules, late requests, the call log and the latency (seconds)."""

    def __init__(self, *, orders: int, seed: int, now: int, data: str) -> None:
        self.stopping = Event()
        self.latency = 0.0
        self.store = OrderStore(orders=orders, seed=seed, now=now, data=data)
        self.calls = CallLog()
        self.faults = FaultRules()
        self.late = LateRequests(self.stopping)

    def reset(self) -> None:
        """Restore the initial state: data, clock, switches, faults, counts and latency."""
        self.latency = 0.0
        self.late.clear()
        self.faults.clear()
        self.store.reset()
        self.calls.clear()
