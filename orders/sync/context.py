"""The state that the jobs of a sync share: lease, fetchers, writer, backoff and stop event."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import DateTimeField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from goody.errors import BadResponse, RateLimited, Rejected, Unauthorized
from orders.goody_api import CallsBlocked, CallsPaused
from orders.services import stale_copy_reason

from .batch_writer import BatchWriter
from .fetching import CallResult, FetchThreads, GoodyCall, NoRateCapacity, Request
from .lease import Lease

# The longest wait after a first failure, seconds; it doubles with each further one.
_FIRST_WAIT = 0.5
# Beyond this exponent all waits are the longest one.
_MAX_DOUBLINGS = 30
# How often blocked calls are tried again where no end of the block is known.
_BLOCK_POLL = timedelta(seconds=5)
# The longest wait for a result before `stop` is looked at again, seconds.
_POLL = 0.25


class SyncStopped(Exception):
    """The process is about to end."""


class Backoff:
    """Exponential backoff with jitter; the state row shows the problem while it lasts."""

    def __init__(self, lease: Lease, *, jitter: Callable[[], float] = random.random) -> None:
        self._lease = lease
        self._jitter = jitter
        self._failures = 0
        self._failed_at: datetime | None = None

    def record_failure(self, error: Exception) -> float:
        """Record that calls failed or were blocked by the API limits; return the seconds to wait.

        Blocked calls are no failure of Goody. No wait is longer than the lease. Raises LeaseLost.
        """
        now = timezone.now()
        if isinstance(error, CallsBlocked):
            self._lease.renew_if_due()
            until = error.until if isinstance(error, CallsPaused) else now + _BLOCK_POLL
            return min(max((until - now).total_seconds(), 0.0), _max_wait())
        doublings = min(self._failures, _MAX_DOUBLINGS)
        wait = min(self._jitter() * _FIRST_WAIT * 2.0**doublings, _max_wait())
        self._failures += 1
        self._failed_at = now
        record_sync_problem(self._lease, stale_copy_reason(error), now=now, wait=wait)
        return wait

    def record_success(self, *, read_at: datetime) -> None:
        """Reset the wait after a call that started at `read_at` has succeeded.

        A call that started before the last failure does not show that calls succeed again.
        """
        if self._failed_at is not None and read_at > self._failed_at:
            self._failures, self._failed_at = 0, None
            self._lease.update_state(problem="", failing_since=None, retry_at=None)


def _max_wait() -> float:
    """Return the longest wait in seconds after which the lease is still renewed in time."""
    return float(settings.SYNC_LEASE) / 4


def record_sync_problem(lease: Lease, problem: str, *, now: datetime, wait: float) -> None:
    """Store the problem, its start and the time of the next attempt in the state row."""
    since = Coalesce("failing_since", Value(now, output_field=DateTimeField()))
    retry_at = now + timedelta(seconds=wait)
    lease.update_state(problem=problem[:500], failing_since=since, retry_at=retry_at)


@dataclass(slots=True)
class SyncContext:
    """The shared state of a sync, with blocking methods.

    They raise SyncStopped soon after `stop` is set, and LeaseLost.
    """

    lease: Lease
    fetchers: FetchThreads
    writer: BatchWriter
    backoff: Backoff
    stop: threading.Event

    def wait_and_renew_lease(self, seconds: float = 0.0) -> None:
        """Sleep for `seconds`, and renew the lease when due."""
        if self.stop.wait(seconds):
            raise SyncStopped
        self.lease.renew_if_due()

    def fetch(self, request: Request) -> CallResult:
        """Return the response, after retries. Raises errors of which is_permanent_error is true."""
        [result] = self.fetch_all([request])
        return result

    def fetch_all(self, requests: Sequence[Request]) -> list[CallResult]:
        """Return the results of concurrent requests, in the order of the requests.

        Retries and errors are as in `fetch`.
        """
        results: dict[int, CallResult] = {}
        while missing := [n for n in range(len(requests)) if n not in results]:
            failures = []
            for result in self._send([GoodyCall(n, requests[n]) for n in missing]):
                if result.error is None:
                    results[result.key] = result
                elif is_permanent_error(result.error):
                    raise result.error
                else:
                    failures.append(result.error)
            if failures:
                # Concurrent failures count as one.
                self.wait_and_renew_lease(self.backoff.record_failure(failures[0]))
            else:
                self.backoff.record_success(read_at=results[missing[-1]].read_at)
        return [results[n] for n in range(len(requests))]

    def fetch_without_retry(self, request: Request) -> CallResult:
        """Return the response or the error of one attempt. Only blocked calls are retried."""
        while True:
            [result] = self._send([GoodyCall(0, request)])
            if result.error is None:
                self.backoff.record_success(read_at=result.read_at)
            if not isinstance(result.error, RateLimited | Unauthorized):
                return result
            self.wait_and_renew_lease(self.backoff.record_failure(result.error))

    def _send(self, calls: Sequence[GoodyCall]) -> list[CallResult]:
        self._submit(calls)
        results: list[CallResult] = []
        while len(results) < len(calls):
            if result := self.fetchers.collect_result(timeout=_POLL):
                results.append(result)
            self.wait_and_renew_lease()
        return results

    def _submit(self, calls: Sequence[GoodyCall]) -> None:
        """Submit the calls, after waiting until the API limits allow them."""
        while True:
            try:
                self.fetchers.submit(calls)
            except (CallsBlocked, NoRateCapacity) as blocked:
                self.wait_and_renew_lease(self.backoff.record_failure(blocked))
            else:
                return


def is_permanent_error(error: Exception) -> bool:
    """Whether a retry would fail the same way: for a refusal, and for a response too large."""
    if isinstance(error, BadResponse):
        return error.kind == "too_large"
    return isinstance(error, Rejected) and not isinstance(error, RateLimited | Unauthorized)
