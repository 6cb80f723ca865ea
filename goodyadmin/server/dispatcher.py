"""Threads for requests, a bounded queue before them, and concurrency limits for slow requests.

A request waits in the queue and not in a thread. One that finds the queue full, or whose wait was
too long, is refused.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

log = logging.getLogger(__name__)


class QueuedTask(Protocol):
    """A connection whose next request has been read completely."""

    def service(self) -> None:
        """Run the request in this thread."""

    def refuse(self, group: str) -> None:
        """Answer the request with 503 instead of running it."""


@dataclass(frozen=True, slots=True)
class GroupLimit:
    """At most `at_once` requests of a group have a thread; the next one waits `wait` seconds."""

    at_once: int
    wait: float
    is_always_accepted: bool = False


@dataclass(eq=False, slots=True)
class _QueuedRequest:
    task: QueuedTask
    group: str
    since: float = field(default_factory=time.monotonic)


class Dispatcher:
    """A task dispatcher for waitress. `limits` has one entry for each concurrency group.

    waitress holds locks of the connection while it adds a task, so refusals are answered later, by
    `refuse_overdue`, which the event loop calls after every turn.
    """

    def __init__(self, *, threads: int, queue_size: int, limits: Mapping[str, GroupLimit]) -> None:
        self._limits = limits
        self._queue_size = queue_size
        self._queue: list[_QueuedRequest] = []
        self._refused: list[_QueuedRequest] = []
        self._running: Counter[str] = Counter()
        self._changed = threading.Condition()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"request-{number}", daemon=True).start()

    def add_request(self, task: QueuedTask, group: str) -> None:
        """Put the task's request into the queue, or refuse it if the queue is full."""
        with self._changed:
            one = _QueuedRequest(task, group)
            if self._limits[group].is_always_accepted:
                self._queue.insert(0, one)
            elif len(self._queue) < self._queue_size:
                self._queue.append(one)
            else:
                self._refused.append(one)
            self._changed.notify()

    def refuse_overdue(self) -> None:
        """Refuse requests that found the queue full or waited longer than their group allows."""
        now = time.monotonic()
        with self._changed:
            overdue = [one for one in self._queue if now - one.since > self._limits[one.group].wait]
            self._queue = [one for one in self._queue if one not in overdue]
            overdue, self._refused = self._refused + overdue, []
        for one in overdue:
            one.task.refuse(one.group)

    def _work(self) -> None:
        while True:
            one = self._take()
            try:
                one.task.service()
            except Exception:
                log.exception("a request failed outside Django")
            finally:
                with self._changed:
                    self._running[one.group] -= 1

    def _take(self) -> _QueuedRequest:
        with self._changed:
            while (one := self._next()) is None:
                self._changed.wait()
            self._queue.remove(one)
            self._running[one.group] += 1
            return one

    def _next(self) -> _QueuedRequest | None:
        """Return the first request in the queue whose group is below its limit, or None."""
        return next(
            (
                one
                for one in self._queue
                if self._running[one.group] < self._limits[one.group].at_once
            ),
            None,
        )
