"""Makes concurrent calls to Goody within the shared rate, in threads without a database.

The syncing thread reserves rate capacity for several calls in one statement, and records the errors
that concern the limits. On SQLite, a thread that wrote the limits row before each call would wait
for the connection that writes orders.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from goody.client import Client, RetryPolicy
from goody.errors import GoodyError, RateLimited, Unauthorized
from orders import goody_api

# Calls queued per thread beyond the one it makes, so that neither the threads nor the writer idle.
_QUEUED_PER_THREAD = 2
# How far ahead rate capacity is reserved, seconds.
_MAX_WAIT = 5.0

type Request = Callable[[Client, RetryPolicy], Any]


@dataclass(frozen=True, slots=True)
class GoodyCall:
    """A request to Goody. `key` identifies its result.

    `prepare` turns the response into the result. It runs in a separate thread, one response at a
    time, while the fetching thread makes its next call.
    """

    key: Any
    request: Request
    prepare: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """The response or the error of a call that started at `read_at` (aware UTC).

    If an earlier error blocks further calls, `error` is that error and `was_sent` is False.
    """

    key: Any
    read_at: datetime
    response: Any = None
    error: GoodyError | None = None
    was_sent: bool = True


class NoRateCapacity(Exception):
    """Other callers have reserved the rate for the next seconds."""


class FetchThreads:
    """A pool of threads that call Goody for one thread, which submits and collects calls."""

    def __init__(self, *, calls_at_once: int) -> None:
        self._calls_at_once = calls_at_once
        self._fetchers = ThreadPoolExecutor(calls_at_once, thread_name_prefix="sync")
        # A single thread: more of them would keep the GIL from the thread that writes.
        self._preparer = ThreadPoolExecutor(1, thread_name_prefix="sync-prepare")
        self._results: queue.SimpleQueue[CallResult | BaseException] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._in_flight = 0
        # The 401 or 429 after which queued calls are not made, and whether it is recorded.
        self._blocked_by: GoodyError | None = None
        self._is_block_recorded = False

    @property
    def capacity(self) -> int:
        """Return how many further calls to submit; 0 unless several can be reserved at once."""
        free = self._calls_at_once * (1 + _QUEUED_PER_THREAD) - self._in_flight
        return free if free >= self._calls_at_once // 2 else 0

    @property
    def is_idle(self) -> bool:
        return not self._in_flight

    def submit(self, calls: Sequence[GoodyCall]) -> None:
        """Queue the calls. Raises CallsBlocked or NoRateCapacity, and then queues none."""
        client = goody_api.make_separate_client(calls_at_once=self._calls_at_once)
        waits = goody_api.reserve_calls(len(calls), longest=_MAX_WAIT)
        if not waits:
            raise NoRateCapacity
        if self._is_block_recorded:
            # `reserve_calls` would have raised CallsBlocked if it were still in force.
            self._blocked_by, self._is_block_recorded = None, False
        for call, wait in zip(calls, waits, strict=True):
            self._in_flight += 1
            self._fetchers.submit(self._make, call, client, wait)

    def collect_result(self, *, timeout: float) -> CallResult | None:
        """Return the next result, or None if there is none within `timeout` seconds.

        A 401 or 429 is recorded in the limits that all processes share.
        """
        if self.is_idle:
            return None
        try:
            result = self._results.get(timeout=timeout)
        except queue.Empty:
            return None
        self._in_flight -= 1
        if isinstance(result, BaseException):
            raise result
        if result.error is not None and result.was_sent:
            goody_api.record_limit_error(result.error)
            self._is_block_recorded = self._is_block_recorded or result.error is self._blocked_by
        return result

    def close(self) -> None:
        """Drop queued calls. Calls in progress finish, and their results are dropped."""
        self._closing.set()
        for pool in (self._fetchers, self._preparer):
            pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, call: GoodyCall, client: Client, wait: float) -> None:
        if self._closing.wait(wait):
            return
        read_at = timezone.now()
        if (blocked_by := self._blocked_by) is not None:
            self._results.put(CallResult(call.key, read_at, error=blocked_by, was_sent=False))
            return
        # The syncing thread decides on retries; a thread that waits for one is of no use.
        policy = replace(goody_api.worker_retry_policy(), attempts=1)
        try:
            result = CallResult(call.key, read_at, response=call.request(client, policy))
        except GoodyError as error:
            if isinstance(error, RateLimited | Unauthorized):
                self._blocked_by = error
            self._results.put(CallResult(call.key, read_at, error=error))
        except BaseException as bug:  # noqa: BLE001
            # Raised again in the thread that collects.
            self._results.put(bug)
        else:
            self._pass_on(result, call.prepare)

    def _pass_on(self, result: CallResult, prepare: Callable[[Any], Any] | None) -> None:
        if prepare is None:
            self._results.put(result)
        elif not self._closing.is_set():
            self._preparer.submit(self._prepare, result, prepare)

    def _prepare(self, result: CallResult, prepare: Callable[[Any], Any]) -> None:
        try:
            self._results.put(replace(result, response=prepare(result.response)))
        except BaseException as bug:  # noqa: BLE001
            self._results.put(bug)
