"""The log of calls under /v1, by which tests count requests."""

from collections import Counter, deque
from threading import Lock
from typing import Any

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
