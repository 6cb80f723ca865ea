"""Requests that are applied after their client got no answer (the fault late_apply)."""

from collections.abc import Callable
from threading import Event, Lock, Thread

from emulator.messages import Response

# Carries out a request and returns its regular response.
Handler = Callable[[], Response]


class LateRequests:
    """A queue of requests that have not been applied yet. Thread-safe."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._lock = Lock()
        self._waiting: list[tuple[Event, Handler]] = []

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def add(self, seconds: float, handle: Handler) -> None:
        """Schedule a request, which is applied after `seconds` or by apply_all()."""
        request = Event(), handle
        with self._lock:
            self._waiting.append(request)
        Thread(target=self._wait, args=(seconds, request), daemon=True).start()

    def apply_all(self) -> int:
        """Apply all waiting requests now; return their number."""
        with self._lock:
            waiting = list(self._waiting)
        return sum(self._apply(request) for request in waiting)

    def clear(self) -> None:
        """Drop all waiting requests."""
        with self._lock:
            dropped, self._waiting = self._waiting, []
        for done, _ in dropped:
            done.set()

    def _wait(self, seconds: float, request: tuple[Event, Handler]) -> None:
        if not request[0].wait(seconds) and not self._stopping.is_set():
            self._apply(request)

    def _apply(self, request: tuple[Event, Handler]) -> bool:
        with self._lock:
            if request not in self._waiting:
                return False
            self._waiting.remove(request)
        done, handle = request
        done.set()
        record_answer_in_ledger(handle(), "late_apply")
        return True


def record_answer_in_ledger(response: Response, how: str) -> Response:
    """Set `answered` of the write's ledger entry, if the request was a write."""
    if response.entry is not None:
        response.entry["answered"] = how
    return response
