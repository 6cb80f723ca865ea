"""The vendor client: one method per endpoint of Goody's REST API.

Reads are retried within their patience, writes never; slots, breaker and retry budget are asked
here. What an answer means is in answers.py, the bytes are transport.py's. Whether a write is
allowed, and what its outcome means for the person who asked, is the services' business.
"""

import http.client
import ipaddress
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from goody.answers import parse_single, parsed, read_error, write_error
from goody.limits import (
    DETAIL,
    PAGE,
    WORKER,
    Breaker,
    Clock,
    Deadline,
    Limits,
    RetryBudget,
    RetryPolicy,
    Slots,
)
from goody.paths import MAX_PER_PAGE, activities_path, goody_time, order_path, orders_path
from goody.retry import PASSING, wait_before_retry
from goody.transport import Answer, Failed, Request, Secret, Transport
from goody.types import Me, Order, OrderPage, RawActivityPage, RawPage, Workspace
from goody.types.account import parse_me, parse_workspaces
from goody.types.activity import cut_activities
from goody.types.page import cut_page_rows, parse_page

__all__ = ["DETAIL", "PAGE", "WORKER", "Client", "Limits", "RetryPolicy"]

# What counts against Goody's being there at all. A refusal or rubbish is a sign of life.
_ABSENT = frozenset({"dns", "connect", "tls", "deadline", "reset", "server_error"})


class Client:
    """Goody's REST API for one key. Thread-safe; one per process, since it bounds the process.

    `base_url` is https, or http to a loopback host. `ca_bundle` is the path of a PEM file that
    replaces the default certificates. `clock` (monotonic seconds), `sleep` and `chance` (a number
    in [0, 1) for each call) are for tests. Raises ValueError for an unusable URL or key.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        ca_bundle: str | None = None,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = _checked_base_url(base_url)
        self._key = _checked_key(api_key)
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._slots = Slots(limits.slots)
        self._breaker = Breaker(
            failures=limits.breaker_failures, probe_every=limits.breaker_probe_every, clock=clock
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

    def me(self, *, policy: RetryPolicy = PAGE) -> Me:
        """Whose key this is. Goody API: GET /v1/me. Raises as get_order, but never mismatch."""
        return self._read("/v1/me", parse_me, policy, self._limits.order_body)

    def workspaces(self, *, policy: RetryPolicy = PAGE) -> tuple[Workspace, ...]:
        """The workspaces the key sees. Goody API: GET /v1/workspaces (unpaged)."""
        return self._read("/v1/workspaces", parse_workspaces, policy, self._limits.list_body)

    def list_orders(
        self,
        *,
        page: int = 1,
        per_page: int = 50,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        policy: RetryPolicy = PAGE,
    ) -> OrderPage:
        """One page of orders, without event times. Goody API: GET /v1/orders.

        `page` from 1, `per_page` 1 to 100. Both bounds are inclusive, aware, and sent in whole
        seconds of UTC. Rows that are no orders are in `quarantined`. Raises ValueError for naive
        datetimes and numbers out of range, otherwise Unavailable, Rejected or BadResponse.
        """
        path = orders_path(
            page=page,
            per_page=per_page,
            created_after=created_after,
            created_before=created_before,
        )
        parse = partial(parse_page, page=page, per_page=per_page)
        return self._read(path, parse, policy, self._limits.list_body)

    def list_raw_orders(
        self,
        *,
        page: int = 1,
        per_page: int = MAX_PER_PAGE,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        policy: RetryPolicy = WORKER,
    ) -> RawPage:
        """As list_orders, with each row as the bytes Goody sent; goody.types.parse_row reads one.

        For those who know most rows by their bytes. Goody API: GET /v1/orders.
        """
        path = orders_path(
            page=page,
            per_page=per_page,
            created_after=created_after,
            created_before=created_before,
        )
        return self._read(path, cut_page_rows, policy, self._limits.list_body)

    def list_activities(
        self,
        *,
        page: int = 1,
        per_page: int = MAX_PER_PAGE,
        after: datetime | None = None,
        before: datetime | None = None,
        statuses: Sequence[str] = (),
        policy: RetryPolicy = WORKER,
    ) -> RawActivityPage:
        """One page of status changes, each with its order as it is now: as the bytes Goody sent.

        Goody API: GET /v1/order_activities. The bounds are inclusive and on the change's own time;
        no `statuses` means all that the feed has (goody.types.ACTIVITY_STATUSES). Entries that
        cannot be read are in `quarantined`; goody.types.parse_row reads an order. Arguments and
        errors otherwise as in list_orders.
        """
        path = activities_path(
            page=page, per_page=per_page, after=after, before=before, statuses=statuses
        )
        return self._read(path, cut_activities, policy, self._limits.list_body)

    def get_order(
        self,
        order_id: UUID,
        *,
        policy: RetryPolicy = DETAIL,
        before_send: Callable[[], None] | None = None,
    ) -> Order:
        """One order with its event times. Goody API: GET /v1/orders/{id}.

        `before_send` is called before the first byte of each attempt, so the last time when the
        request that is answered leaves. Raises Unavailable, Rejected (NotFound: unknown or not
        visible to this key) or BadResponse (also when the answer is another order).
        """

        def parse(body: bytes) -> Order:
            return parse_single(body, expected_id=order_id)

        path, max_body = order_path(order_id), self._limits.order_body
        return self._read(path, parse, policy, max_body, before_send)

    def cancel_order(
        self, order_id: UUID, *, before_send: Callable[[], None] | None = None
    ) -> Order:
        """Cancel an order, for good. Goody API: POST /v1/orders/{id}/cancel, without a body.

        Sent once, on a connection of its own. `before_send` is called when that connection stands
        and nothing has been sent; what it raises goes through unchanged and nothing is sent.
        Returns whatever order came with 200: Goody answers a success with status `failed`, and the
        caller judges id and status. Raises Unavailable (nothing was sent), Rejected (nothing was
        changed) or OutcomeUnknown.
        """
        return self._write(f"{order_path(order_id)}/cancel", None, before_send)

    def update_expiration(
        self,
        order_id: UUID,
        *,
        expiration: datetime,
        before_send: Callable[[], None] | None = None,
    ) -> Order:
        """Move the expiration. Goody API: POST /v1/orders/{id}/update_expiration.

        `expiration` is aware and sent in whole seconds of UTC; the answer calls it `expires_at`.
        Otherwise as cancel_order. Raises ValueError for a naive datetime.
        """
        body = msgspec.json.encode({"expiration": goody_time(expiration)})
        return self._write(f"{order_path(order_id)}/update_expiration", body, before_send)

    def close(self) -> None:
        """Close the pooled connections. Later calls are refused as Unavailable."""
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
        self._budget.earn()
        attempt = 1
        while True:
            try:
                answer = self._attempt_read(request, deadline, policy.attempts - attempt + 1)
                return parsed(answer, parse, secret=self._key.reveal())
            except Failed as error:
                failed = error
            wait = self._wait_before_retry(failed, attempt, policy, deadline)
            if wait is None:
                break
            self._sleep(wait)
            attempt += 1
        raise read_error(failed)

    def _attempt_read(self, request: Request, deadline: Deadline, attempts_left: int) -> Answer:
        """One attempt, with an equal share of the time left.

        Without shares the first answer that never comes would leave no time for a second attempt.
        """
        with self._slot(deadline):
            self._ask_breaker(as_probe=True)
            share = deadline.within(deadline.remaining / attempts_left)
            try:
                return self._exchange(request, share, is_fresh=False)
            except Failed as failed:
                if not failed.is_stale:
                    raise
            return self._exchange(request, share, is_fresh=True)

    def _wait_before_retry(
        self, failed: Failed, attempt: int, policy: RetryPolicy, deadline: Deadline
    ) -> float | None:
        """Seconds to wait before the next attempt, None if there is to be none."""
        if failed.kind not in PASSING or attempt >= policy.attempts or self._breaker.is_open:
            return None
        wait = wait_before_retry(
            attempt=attempt,
            base=self._limits.retry_base,
            chance=self._chance(),
            retry_after=failed.retry_after,
        )
        return wait if wait < deadline.remaining and self._budget.spend() else None

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
            with self._slot(deadline):
                self._ask_breaker(as_probe=False)
                answer = self._exchange(request, deadline, is_fresh=True)
            return parsed(answer, parse_single, secret=self._key.reveal())
        except Failed as error:
            failed = error
        raise write_error(failed)

    def _exchange(self, request: Request, deadline: Deadline, *, is_fresh: bool) -> Answer:
        try:
            answer = self._transport.exchange(request, deadline=deadline, is_fresh=is_fresh)
        except Failed as failed:
            self._note_failure(failed)
            raise
        self._breaker.record(is_alive=answer.status < http.client.INTERNAL_SERVER_ERROR)
        return answer

    def _note_failure(self, failed: Failed) -> None:
        """Tell the breaker, unless the failure says nothing about Goody."""
        is_our_own_delay = failed.kind == "deadline" and not failed.may_have_left
        if not failed.is_stale and not is_our_own_delay:
            self._breaker.record(is_alive=failed.kind not in _ABSENT)

    def _ask_breaker(self, *, as_probe: bool) -> None:
        if not self._breaker.admits(as_probe=as_probe):
            raise Failed("breaker", may_have_left=False)

    @contextmanager
    def _slot(self, deadline: Deadline) -> Iterator[None]:
        if self._is_closed:
            raise Failed("closed", may_have_left=False)
        if not self._slots.acquire(timeout=deadline.remaining):
            raise Failed("slots", may_have_left=False)
        try:
            yield
        finally:
            self._slots.release()


def _checked_base_url(base_url: str) -> str:
    """The URL without a slash at its end. Raises ValueError unless the key is safe on its way."""
    parts = urlsplit(base_url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("the API's URL must have no user, query or fragment")
    if not parts.hostname or not _is_name(parts.hostname) or parts.port == 0:
        raise ValueError("the API's URL must name a host")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("the API's URL must be https, or http to this machine itself")
    return base_url.rstrip("/")


def _is_name(host: str) -> bool:
    """Could it be looked up? Not where a label is empty or too long."""
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


def _checked_key(api_key: str) -> Secret:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ValueError("the API key must be printable ASCII without spaces")
    return Secret(api_key)
