"""Access to Goody: one client a process, and the limits that every call respects.

Slots and the circuit breaker of goody/ apply to one process. The ApiLimits row applies to all: a
rejected key, a pause that Goody asked for, and the rate of calls.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.client import Client, ClientLimits, RetryPolicy
from goody.errors import (
    GoodyError,
    RateLimited,
    Unauthorized,
    Unavailable,
)

from .audit import record_security_event
from .models import ApiLimits

log = logging.getLogger(__name__)

# Items that may begin at once after a slow one, so that the pace is kept.
_ITEM_BURST = 2
# The wait in seconds after a 429 without Retry-After.
_DEFAULT_WAIT = 5.0


class CallsBlocked(Exception):
    """Calls to Goody are not allowed at present."""


class NotConfigured(CallsBlocked):
    """A required setting is missing or wrong; the text names it."""


class KeyRejected(CallsBlocked):
    """Goody answered 401 to this key: no calls until the key changes or an admin checks it."""


class CallsPaused(CallsBlocked):
    """Goody asked to wait (429) until `until` (aware UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"paused until {until:%H:%M:%S} UTC")
        self.until = until


def page_retry_policy() -> RetryPolicy:
    return RetryPolicy(deadline=settings.GOODY_PAGE_DEADLINE, attempts=2)


def order_retry_policy() -> RetryPolicy:
    """Return the retry policy for the read of an order that a page waits for."""
    return RetryPolicy(deadline=settings.GOODY_PAGE_DEADLINE, attempts=1)


def detail_retry_policy() -> RetryPolicy:
    return RetryPolicy(deadline=settings.GOODY_DETAIL_DEADLINE, attempts=1)


def worker_retry_policy() -> RetryPolicy:
    return RetryPolicy(deadline=settings.GOODY_WORKER_DEADLINE, attempts=3)


def subtract_elapsed(policy: RetryPolicy, seconds: float) -> RetryPolicy:
    """Return the policy with `seconds`, the time already spent, taken off its deadline.

    The deadline is at least 0.05 s, so that the client can report the reason of the timeout.
    """
    return replace(policy, deadline=max(policy.deadline - seconds, 0.05))


def call_goody[T](
    request: Callable[[Client, RetryPolicy], T], *, policy: RetryPolicy | None = None
) -> T:
    """Make one call to Goody within the limits, and record a 401 or 429 for all processes.

    The wait for the rate limit counts against the deadline of `policy`; the request is given the
    rest. Raises CallsBlocked, or what the client raises.
    """
    policy = policy or page_retry_policy()
    client = _configured_client()
    waited = _wait_for_rate(check_limits(now=timezone.now()), longest=policy.deadline)
    return _record_errors_of(lambda: request(client, subtract_elapsed(policy, waited)))


def reserve_calls(count: int, *, longest: float) -> list[float]:
    """Reserve `count` calls within the rate limit; return the seconds until each may start.

    The list is empty if the first would start after more than `longest` seconds. Raises
    CallsBlocked. The caller passes errors of these calls to `record_limit_error`.
    """
    limits = check_limits(now=timezone.now())
    try:
        return ApiLimits.objects.reserve_calls(
            count,
            now=timezone.now(),
            per_second=settings.GOODY_CALLS_PER_SECOND,
            burst=settings.GOODY_CALLS_BURST,
            longest=longest,
            limits=limits,
        )
    except DatabaseFailure:
        log.warning("the rate limit could not be applied: the database failed")
        return [1 / settings.GOODY_CALLS_PER_SECOND * number for number in range(1, count + 1)]


def reserve_job_item(limits: ApiLimits, *, longest: float) -> float | None:
    """Reserve the next item of a job; return the seconds until it may begin.

    All jobs together run at most BULK_ITEMS_PER_SECOND items a second, of two calls each, which
    leaves half of the rate limit to people. Return None if the item would begin after more than
    `longest` seconds. `limits` is the row of ApiLimits, if it has just been read.
    """
    pace = min(settings.BULK_ITEMS_PER_SECOND, settings.GOODY_CALLS_PER_SECOND / 4)
    waits = ApiLimits.objects.reserve_calls(
        1,
        now=timezone.now(),
        per_second=pace,
        burst=_ITEM_BURST,
        longest=longest,
        limits=limits,
        column="next_item_at",
    )
    return waits[0] if waits else None


def make_separate_client(*, calls_at_once: int) -> Client:
    """Return a client with its own slots, so that its calls never take a page's slot.

    Raises NotConfigured.
    """
    return _configured_client(slots=calls_at_once, is_separate=True)


@contextmanager
def write_slot() -> Iterator[None]:
    """Hold one of the slots for writes of this process, which reads never take.

    Raises NotConfigured, or Unavailable ("slots") after GOODY_WRITE_SLOT_WAIT seconds.
    """
    with _configured_client().write_slot(timeout=settings.GOODY_WRITE_SLOT_WAIT):
        yield


def call_unthrottled[T](request: Callable[[Client, RetryPolicy], T], policy: RetryPolicy) -> T:
    """Make a call regardless of the limits, so that an admin can check the key."""
    client = _configured_client()
    answer = _record_errors_of(lambda: request(client, policy))
    ApiLimits.objects.accept_key()
    return answer


def check_limits(*, now: datetime) -> ApiLimits:
    """Return the limits. Raises KeyRejected or CallsPaused if no call may be made.

    A pause that ends further in the future than any new one is ignored: the clock was set back.
    """
    limits = ApiLimits.objects.current()
    if limits.is_key_rejected(settings.GOODY_API_KEY):
        raise KeyRejected
    longest = timedelta(seconds=settings.GOODY_LONGEST_WAIT)
    if limits.paused_until is not None and now < limits.paused_until <= now + longest:
        raise CallsPaused(limits.paused_until)
    return limits


def _record_errors_of[T](call: Callable[[], T]) -> T:
    try:
        return call()
    except GoodyError as error:
        record_limit_error(error)
        raise


def record_limit_error(error: GoodyError) -> None:
    """Record a 401 or 429 for all processes, a TLS failure or redirect as a security event."""
    if isinstance(error, Unauthorized):
        _store(lambda: ApiLimits.objects.reject_key(settings.GOODY_API_KEY, now=timezone.now()))
    elif isinstance(error, RateLimited):
        until = timezone.now() + rate_limit_wait(error)
        _store(lambda: ApiLimits.objects.pause_until(until))
    elif error.kind in ("tls", "redirect"):
        _store(lambda: record_security_event(f"goody_{error.kind}", detail=str(error)))


def rate_limit_wait(error: RateLimited) -> timedelta:
    """Return the wait of a 429, between one second and GOODY_LONGEST_WAIT."""
    asked = _DEFAULT_WAIT if error.retry_after is None else error.retry_after
    return timedelta(seconds=min(max(asked, 1.0), settings.GOODY_LONGEST_WAIT))


def _store(store: Callable[[], object]) -> None:
    """Call `store` and log a database failure, which must not hide the error of the call."""
    try:
        store()
    except DatabaseFailure as error:
        log.warning("an error of Goody could not be recorded: %s", type(error).__name__)


def _wait_for_rate(limits: ApiLimits, *, longest: float) -> float:
    """Wait until the rate limit allows a call, at most `longest` seconds; return the wait."""
    now = timezone.now()
    try:
        wait = ApiLimits.objects.reserve_call(
            now=now,
            per_second=settings.GOODY_CALLS_PER_SECOND,
            burst=settings.GOODY_CALLS_BURST,
            longest=longest,
            limits=limits,
        )
    except DatabaseFailure:
        # Reads go on when the disk is full; a write has stored its intent before.
        log.warning("the rate limit could not be applied: the database failed")
        return 0.0
    if wait is None:
        # The cause is our own number of calls, not a pause that Goody asked for.
        raise Unavailable("slots")
    if wait:
        time.sleep(wait)
    return wait


def missing_setting_names() -> list[str]:
    """Return the names of missing settings that calls to Goody require."""
    return [name for name in ("GOODY_API_URL", "GOODY_API_KEY") if not getattr(settings, name)]


def _configured_client(slots: int = 0, *, is_separate: bool = False) -> Client:
    if missing := missing_setting_names():
        raise NotConfigured(f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not set")
    limits = ClientLimits(
        connect_timeout=settings.GOODY_CONNECT_TIMEOUT,
        write_deadline=settings.GOODY_WRITE_DEADLINE,
        slots=slots or settings.GOODY_CALLS_AT_ONCE,
        write_slots=settings.GOODY_WRITES_AT_ONCE,
    )
    where = settings.GOODY_API_URL, settings.GOODY_API_KEY, settings.GOODY_CA_BUNDLE
    try:
        return _client(*where, limits, is_separate)
    except (ValueError, OSError) as error:
        # An OSError names the file; the client's own errors quote no value.
        raise NotConfigured(f"The connection to Goody is set up wrongly: {error}") from error


@functools.lru_cache(maxsize=4)
def _client(
    base_url: str,
    api_key: str,
    ca_bundle: str | None,
    limits: ClientLimits,
    is_separate: bool,  # noqa: ARG001 - a part of the cache's key
) -> Client:
    return Client(base_url=base_url, api_key=api_key, limits=limits, ca_bundle=ca_bundle)
