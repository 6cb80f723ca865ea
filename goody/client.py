"""The client: one method for each endpoint of Goody's REST API.

Reads are retried as their RetryPolicy says, writes never. Slots, the circuit breaker and the retry
budget bound all calls of the process.
"""

import http.client
import ipaddress
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from goody.errors import Unavailable
from goody.limits import (
    ORDER_READ_POLICY,
    PAGE_READ_POLICY,
    WORKER_READ_POLICY,
    CircuitBreaker,
    ClientLimits,
    Clock,
    Deadline,
    RetryBudget,
    RetryPolicy,
)
from goody.paths import MAX_PER_PAGE, activities_path, format_time, order_path, orders_path
from goody.responses import (
    error_for_failed_read,
    error_for_failed_write,
    parse_response,
    parse_single_order,
)
from goody.retry import RETRYABLE, seconds_before_retry
from goody.transport import Request, RequestFailed, Response, Secret, Transport
from goody.types import Me, Order, OrderPage, RawActivityPage, RawPage, Workspace
from goody.types.account import parse_me, parse_workspaces
from goody.types.activity import split_activity_page
from goody.types.page import parse_order_page, split_page_into_rows

__all__ = [
    "Client",
    "ClientLimits",
    "RetryPolicy",
]

# Failures by which the breaker opens. Rejections and undocumented responses are none.
_UNAVAILABLE = frozenset({"dns", "connect", "tls", "deadline", "reset", "server_error"})


class Client:
    """A client for one API key. Thread-safe; create one in each process, whose calls it bounds.

    `base_url` is https, or http to a loopback host. `ca_bundle` is the path of a PEM file that
    replaces the default certificates. `clock` (monotonic seconds), `sleep` and `jitter` (returns
    a number at least 0 and below 1) are for tests. Raises ValueError for an invalid URL or key.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        limits: ClientLimits = ClientLimits(),  # noqa: B008  (frozen)
        ca_bundle: str | None = None,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = _validated_base_url(base_url)
        self._key = _validated_key(api_key)
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._slots = threading.BoundedSemaphore(limits.slots)
        self._write_slots = threading.BoundedSemaphore(limits.write_slots)
        self._breaker = CircuitBreaker(
            failures=limits.breaker_failures,
            probe_interval=limits.breaker_probe_interval,
            clock=clock,
        )
        self._budget = RetryBudget(share=limits.retry_budget, allowance=limits.retry_allowance)
        self._transport = Transport(
            base_url=self._base_url,
            key=self._key,
            limits=limits,
            ca_bundle=ca_bundle,
            clock=clock,
        )
        self._is_closed = False

    def __repr__(self) -> str:
        return f"Client({self._base_url!r})"

    def get_me(self, *, policy: RetryPolicy = PAGE_READ_POLICY) -> Me:
        """Return the owner of the key. Goody API: GET /v1/me. Raises like get_order()."""
        return self._read("/v1/me", parse_me, policy, self._limits.order_body)

    def list_workspaces(self, *, policy: RetryPolicy = PAGE_READ_POLICY) -> tuple[Workspace, ...]:
        """Return the workspaces visible to the key. Goody API: GET /v1/workspaces (not paged)."""
        return self._read("/v1/workspaces", parse_workspaces, policy, self._limits.list_body)

    def list_orders(
        self,
        *,
        page: int = 1,
        per_page: int = 50,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        policy: RetryPolicy = PAGE_READ_POLICY,
    ) -> OrderPage:
        """Return one page of orders, without event times. Goody API: GET /v1/orders.

        `page` starts at 1, `per_page` is 1 to 100. The bounds are inclusive, aware, and sent in
        whole seconds, UTC. Invalid rows are in `quarantined`. Raises ValueError for naive
        datetimes and numbers out of range, otherwise Unavailable, Rejected or BadResponse.
        """
        path = orders_path(
            page=page,
            per_page=per_page,
            created_after=created_after,
            created_before=created_before,
        )
        parse = partial(parse_order_page, page=page, per_page=per_page)
        return self._read(path, parse, policy, self._limits.list_body)

    def list_raw_orders(
        self,
        *,
        page: int = 1,
        per_page: int = MAX_PER_PAGE,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        policy: RetryPolicy = WORKER_READ_POLICY,
    ) -> RawPage:
        """Like list_orders(), with unparsed rows, for callers that compare bytes first.

        goody.types.parse_order_row() parses a row. Goody API: GET /v1/orders.
        """
        path = orders_path(
            page=page,
            per_page=per_page,
            created_after=created_after,
            created_before=created_before,
        )
        return self._read(path, split_page_into_rows, policy, self._limits.list_body)

    def list_activities(
        self,
        *,
        page: int = 1,
        per_page: int = MAX_PER_PAGE,
        after: datetime | None = None,
        before: datetime | None = None,
        statuses: Sequence[str] = (),
        policy: RetryPolicy = WORKER_READ_POLICY,
    ) -> RawActivityPage:
        """Return one page of status changes, each with its unparsed order in the present state.

        Goody API: GET /v1/order_activities. The bounds are inclusive and apply to the time of the
        change. Without `statuses`, all of goody.types.ACTIVITY_STATUSES are returned. Invalid
        entries are in `quarantined`; goody.types.parse_order_row() parses an order. Other arguments
        and errors are those of list_orders().
        """
        path = activities_path(
            page=page, per_page=per_page, after=after, before=before, statuses=statuses
        )
        return self._read(path, split_activity_page, policy, self._limits.list_body)

    def get_order(
        self,
        order_id: UUID,
        *,
        policy: RetryPolicy = ORDER_READ_POLICY,
        before_send: Callable[[], None] | None = None,
    ) -> Order:
        """Return one order with its event times. Goody API: GET /v1/orders/{id}.

        `before_send` is called before the first byte of each attempt. Raises Unavailable, Rejected
        (NotFound: unknown or not visible to this key) or BadResponse (also for another order).
        """

        def parse(body: bytes) -> Order:
            return parse_single_order(body, expected_id=order_id)

        path, max_body = order_path(order_id), self._limits.order_body
        return self._read(path, parse, policy, max_body, before_send)

    def cancel_order(
        self, order_id: UUID, *, before_send: Callable[[], None] | None = None
    ) -> Order:
        """Cancel an order, irreversibly. Goody API: POST /v1/orders/{id}/cancel, without a body.

        The request is sent once, on a new connection. `before_send` is called when the connection
        is established; if it raises, nothing is sent and the exception propagates unchanged.
        Returns the order of a 200 response, whose id and status the caller must check (Goody
        answers a success with status `failed`). Raises Unavailable (nothing was sent), Rejected
        (nothing was changed) or OutcomeUnknown.
        """
        return self._write(f"{order_path(order_id)}/cancel", None, before_send)

    def update_expiration(
        self,
        order_id: UUID,
        *,
        expiration: datetime,
        before_send: Callable[[], None] | None = None,
    ) -> Order:
        """Change the expiration. Goody API: POST /v1/orders/{id}/update_expiration.

        `expiration` is aware and sent in whole seconds, UTC; the response has it as `expires_at`.
        Raises ValueError for a naive datetime. Otherwise like cancel_order().
        """
        body = msgspec.json.encode({"expiration": format_time(expiration)})
        return self._write(f"{order_path(order_id)}/update_expiration", body, before_send)

    @contextmanager
    def write_slot(self, *, timeout: float) -> Iterator[None]:
        """Hold one of the slots for writes, which reads never take.

        The caller takes the slot before the read that precedes a write, because waiting for a slot
        after that read could make the read too old. Raises Unavailable ("slots") if no slot is free
        within `timeout` seconds.
        """
        if not self._write_slots.acquire(timeout=timeout):
            raise Unavailable("slots")
        try:
            yield
        finally:
            self._write_slots.release()

    def close(self) -> None:
        """Close the pooled connections. Later calls raise Unavailable."""
        self._is_closed = True
        self._transport.close()

    def _read[T](
        self,
        path: str,
        parse: Callable[[bytes], T],
        policy: RetryPolicy,
        max_body: int,
        before_send: Callable[[], None] | None = None,
    ) -> T:
        request = Request(method="GET", path=path, max_body=max_body, before_send=before_send)
        deadline = Deadline(policy.deadline, self._clock)
        self._budget.deposit()
        attempt = 1
        while True:
            try:
                response = self._attempt_read(request, deadline, policy.attempts - attempt + 1)
                return parse_response(response, parse, secret=self._key.reveal())
            except RequestFailed as error:
                failed = error
            wait = self._wait_before_retry(failed, attempt, policy, deadline)
            if wait is None:
                break
            self._sleep(wait)
            attempt += 1
        raise error_for_failed_read(failed)

    def _attempt_read(self, request: Request, deadline: Deadline, attempts_left: int) -> Response:
        """Make one attempt, with an equal share of the remaining time.

        Otherwise a first attempt without a response would leave no time for a second.
        """
        with self._slot(deadline):
            self._check_breaker(may_probe=True)
            share = deadline.capped_at(deadline.remaining / attempts_left)
            try:
                return self._exchange(request, share, is_fresh=False)
            except RequestFailed as failed:
                if not failed.is_stale:
                    raise
            return self._exchange(request, share, is_fresh=True)

    def _wait_before_retry(
        self, failed: RequestFailed, attempt: int, policy: RetryPolicy, deadline: Deadline
    ) -> float | None:
        """Return seconds to wait before the next attempt; None if there is none."""
        if failed.kind not in RETRYABLE or attempt >= policy.attempts or self._breaker.is_open:
            return None
        wait = seconds_before_retry(
            attempt=attempt,
            base=self._limits.retry_base,
            jitter=self._jitter(),
            retry_after=failed.retry_after,
        )
        return wait if wait < deadline.remaining and self._budget.withdraw() else None

    def _write(
        self, path: str, body: bytes | None, before_send: Callable[[], None] | None
    ) -> Order:
        request = Request(
            method="POST",
            path=path,
            max_body=self._limits.order_body,
            body=body,
            before_send=before_send,
        )
        deadline = Deadline(self._limits.write_deadline, self._clock)
        try:
            self._check_open()
            self._check_breaker(may_probe=False)
            response = self._exchange(request, deadline, is_fresh=True)
            return parse_response(response, parse_single_order, secret=self._key.reveal())
        except RequestFailed as error:
            failed = error
        raise error_for_failed_write(failed)

    def _exchange(self, request: Request, deadline: Deadline, *, is_fresh: bool) -> Response:
        try:
            response = self._transport.send(request, deadline=deadline, is_fresh=is_fresh)
        except RequestFailed as failed:
            self._record_failure(failed)
            raise
        self._breaker.record_result(
            is_available=response.status < http.client.INTERNAL_SERVER_ERROR
        )
        return response

    def _record_failure(self, failed: RequestFailed) -> None:
        """Record the failure in the breaker unless Goody did not cause it."""
        is_our_own_delay = failed.kind == "deadline" and not failed.may_have_left
        if not failed.is_stale and not is_our_own_delay:
            self._breaker.record_result(is_available=failed.kind not in _UNAVAILABLE)

    def _check_breaker(self, *, may_probe: bool) -> None:
        if not self._breaker.allows_call(may_probe=may_probe):
            raise RequestFailed("breaker", may_have_left=False)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RequestFailed("closed", may_have_left=False)

    @contextmanager
    def _slot(self, deadline: Deadline) -> Iterator[None]:
        self._check_open()
        if not self._slots.acquire(timeout=max(deadline.remaining, 0)):
            raise RequestFailed("slots", may_have_left=False)
        try:
            yield
        finally:
            self._slots.release()


def _validated_base_url(base_url: str) -> str:
    """Return the URL without a trailing slash. Raises ValueError if it could expose the key."""
    parts = urlsplit(base_url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("the API's URL must have no user, query or fragment")
    if not parts.hostname or not _is_valid_host(parts.hostname) or parts.port == 0:
        raise ValueError("the API's URL must name a host")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("the API's URL must be https, or http to this machine itself")
    return base_url.rstrip("/")


def _is_valid_host(host: str) -> bool:
    """Whether the host can be resolved: no label is empty or too long."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _validated_key(api_key: str) -> Secret:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ValueError("the API key must be printable ASCII without spaces")
    return Secret(api_key)
