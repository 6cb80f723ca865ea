"""The way to Goody: one client a process, and the gate row that every call asks first.

What goody/ protects by itself (two calls at once, a breaker) holds for its process only. What
must hold everywhere, a rejected key, a wait that Goody asked for, the pace, is the ApiLimits row.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.client import Client, Limits, RetryPolicy
from goody.errors import (
    GoodyError,
    RateLimited,
    Unauthorized,
    Unavailable,
)

from .audit import record_security_event
from .models import ApiLimits

log = logging.getLogger(__name__)

# What Goody is taken to ask for when a 429 names no time.
_UNSAID_WAIT = 5.0


class CallsBlocked(Exception):
    """Nothing is sent to Goody at present."""


class NotConfigured(CallsBlocked):
    """A setting without which Goody cannot be asked is missing or wrong; the text says which."""


class KeyRejected(CallsBlocked):
    """Goody answered 401 to this key; calls stop until the key changes or an admin checks it."""


class Paused(CallsBlocked):
    """Goody asked to wait (429) until `until` (aware UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"paused until {until:%H:%M:%S} UTC")
        self.until = until


def page_policy() -> RetryPolicy:
    return RetryPolicy(deadline=settings.GOODY_PAGE_DEADLINE, attempts=2)


def detail_policy() -> RetryPolicy:
    return RetryPolicy(deadline=settings.GOODY_DETAIL_DEADLINE, attempts=1)


def worker_policy() -> RetryPolicy:
    return RetryPolicy(deadline=settings.GOODY_WORKER_DEADLINE, attempts=3)


def with_elapsed(policy: RetryPolicy, seconds: float) -> RetryPolicy:
    """What is left of it after that many seconds; never nothing, so that the client says why."""
    return replace(policy, deadline=max(policy.deadline - seconds, 0.05))


def ask[T](request: Callable[[Client, RetryPolicy], T], *, policy: RetryPolicy | None = None) -> T:
    """Make one call to Goody if the gate is open, and learn from a 401 or 429.

    The wait for a place in the common pace counts against `patience`; the request is given what
    is left. Raises CallsBlocked, or what the client raises.
    """
    policy = policy or page_policy()
    client = _configured_client()
    waited = _keep_pace(check_limits(now=timezone.now()), longest=policy.deadline)
    return _learning_from(lambda: request(client, with_elapsed(policy, waited)))


def reserve(count: int, *, longest: float) -> list[float]:
    """Places in the common pace for `count` calls that threads will make: the seconds to each.

    Empty when the first would be over `longest` seconds away. Raises CallsBlocked. What the calls
    end in is told to `learn_from`.
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
        log.warning("the pace of calls could not be kept: the database refused")
        return [1 / settings.GOODY_CALLS_PER_SECOND * number for number in range(1, count + 1)]


def client_beside(*, calls_at_once: int) -> Client:
    """A client with slots of its own, so that its calls never take one that a page waits for.

    Raises NotConfigured.
    """
    return _configured_client(slots=calls_at_once)


def call_unthrottled[T](request: Callable[[Client, RetryPolicy], T], policy: RetryPolicy) -> T:
    """Ask at once, whatever the gate says: an admin wants to know whether the key works now."""
    client = _configured_client()
    answer = _learning_from(lambda: request(client, policy))
    ApiLimits.objects.accept_key()
    return answer


def check_limits(*, now: datetime) -> ApiLimits:
    """Raise the CallsBlocked that stands in the way of a call, if one does; return the gate.

    A pause longer than any that is ever set is none: the clock was set back.
    """
    limits = ApiLimits.objects.current()
    if limits.is_key_rejected(settings.GOODY_API_KEY):
        raise KeyRejected
    longest = timedelta(seconds=settings.GOODY_LONGEST_WAIT)
    if limits.paused_until is not None and now < limits.paused_until <= now + longest:
        raise Paused(limits.paused_until)
    return limits


def _learning_from[T](call: Callable[[], T]) -> T:
    try:
        return call()
    except GoodyError as error:
        record_error(error)
        raise


def record_error(error: GoodyError) -> None:
    """Let all processes know what an error of the client says about the gate."""
    if isinstance(error, Unauthorized):
        _note(lambda: ApiLimits.objects.reject_key(settings.GOODY_API_KEY, now=timezone.now()))
    elif isinstance(error, RateLimited):
        until = timezone.now() + wait_asked_for(error)
        _note(lambda: ApiLimits.objects.pause_until(until))
    elif error.kind in ("tls", "redirect"):
        _note(lambda: record_security_event(f"goody_{error.kind}", detail=str(error)))


def wait_asked_for(error: RateLimited) -> timedelta:
    """The wait of a 429, between one second and GOODY_LONGEST_WAIT."""
    asked = _UNSAID_WAIT if error.retry_after is None else error.retry_after
    return timedelta(seconds=min(max(asked, 1.0), settings.GOODY_LONGEST_WAIT))


def _note(store: Callable[[], object]) -> None:
    """Store what an error taught us; a database that refuses must not hide the error itself."""
    try:
        store()
    except DatabaseFailure as error:
        log.warning("what Goody answered could not be noted: %s", type(error).__name__)


def _keep_pace(limits: ApiLimits, *, longest: float) -> float:
    """Wait for a place in the pace, at most `longest` seconds; return how long it took."""
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
        # A full disk must not end reading; a write has its intent stored before it comes here.
        log.warning("the pace of calls could not be kept: the database refused")
        return 0.0
    if wait is None:
        # Our own crowd, not a wait that Goody asked for.
        raise Unavailable("slots")
    if wait:
        time.sleep(wait)
    return wait


def _configured_client(slots: int = 0) -> Client:
    missing = [name for name in ("GOODY_API_URL", "GOODY_API_KEY") if not getattr(settings, name)]
    if missing:
        raise NotConfigured(f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not set")
    limits = Limits(
        connect_timeout=settings.GOODY_CONNECT_TIMEOUT,
        write_deadline=settings.GOODY_WRITE_DEADLINE,
        slots=slots or settings.GOODY_CALLS_AT_ONCE,
    )
    try:
        return _client(
            settings.GOODY_API_URL, settings.GOODY_API_KEY, settings.GOODY_CA_BUNDLE, limits
        )
    except (ValueError, OSError) as error:
        # A file that is not there names itself; the client's own words name no value.
        raise NotConfigured(f"The connection to Goody is set up wrongly: {error}") from error


@functools.lru_cache(maxsize=4)
def _client(base_url: str, api_key: str, ca_bundle: str | None, limits: Limits) -> Client:
    return Client(base_url=base_url, api_key=api_key, limits=limits, ca_bundle=ca_bundle)
