"""Counts of what reached /v1, for tests that ask how often the vendor was called. No rules."""

from collections import Counter, deque
from threading import Lock
from typing import Any

_REMEMBERED = 2_000


class Calls:
    """Counts by method and route, the latest calls, and how many ran at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self.zero()

    def zero(self) -> None:
        self._counts: Counter[str] = Counter()
        self._recent: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._most_at_once = 0

    def begin(self, route: str, *, path: str, query: str, at: str) -> None:
        with self._lock:
            self._counts[route] += 1
            self._recent.append({"at": at, "route": route, "path": path, "query": query})
            self._running += 1
            self._most_at_once = max(self._most_at_once, self._running)

    def end(self) -> None:
        with self._lock:
            self._running -= 1

    def report(self) -> dict[str, Any]:
        """counts, total, posts, most_at_once, and the latest calls, oldest first."""
        with self._lock:
            posts = sum(n for name, n in self._counts.items() if name.startswith("POST "))
            return {
                "counts": dict(self._counts),
                "total": self._counts.total(),
                "posts": posts,
                "most_at_once": self._most_at_once,
                "recent": list(self._recent),
            }
