"""Reads orders from Goody, and the stored copy when Goody does not answer.

Every answer is upserted into the index. Nothing here changes anything at Goody.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import Error as DatabaseFailure
from django.utils import timezone
from msgspec import structs

from goody.client import RetryPolicy
from goody.errors import BadResponse, GoodyError, NotFound
from goody.types import CANCELABLE, OrderPage
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.eligibility import HasStatus
from orders.goody_api import CallsBlocked
from orders.models import BlockingJob, JobItem, Operation, Order
from orders.search import Hit
from orders.search.hits import hit_from_order

from .anomalies import record_anomalies
from .writes.index_updates import mark_missing, upsert_or_log
from .writes.kinds import confirmed_extension_not_shown
from .writes.reads import read_order
from .writes.resolve import operations_on

log = logging.getLogger(__name__)

# Goody's answer for this many orders always fits under the client's cap on a list.
_SMALL_PAGE = 25


class OrderNotFound(Exception):
    """Goody does not know the order, and no copy is stored."""


class ListedOrder(NamedTuple):
    """An order of a list, from Goody or from the index.

    `operation` is its open write, `unread` a refused write after which the order has not been read
    yet, `job` the job in which it waits.
    """

    hit: Hit
    operation: Operation | None
    is_cancel_on_record: bool
    unread: Operation | None = None
    job: BlockingJob | None = None


@dataclass(frozen=True)
class LivePage:
    """One page of a live list.

    `total` is None if Goody gave none. `was_cut`: fewer rows than intended were requested because
    the answer was too large. `as_of` is when the request started (UTC).
    """

    rows: tuple[ListedOrder, ...]
    total: int | None
    page: int
    per_page: int
    quarantined: int
    as_of: datetime
    was_cut: bool = False


@dataclass(frozen=True)
class OrderWithOperations:
    """An order with the operations on it, newest first.

    `problem` is the reason why the copy is not fresh, a sentence without a period. `is_missing`:
    Goody answered 404. `operation` is the open operation, `blocking` the open one or one that may
    still take effect, `unread` a refused one after which the order has not been read yet. `job` is
    the job in which the order waits.
    """

    order: GoodyOrder
    as_of: datetime
    is_fresh: bool
    problem: str
    is_missing: bool
    operation: Operation | None
    blocking: Operation | None
    operations: tuple[Operation, ...]
    is_cancel_on_record: bool
    unread: Operation | None = None
    job: BlockingJob | None = None

    @property
    def pending_operation(self) -> Operation | None:
        """The operation for whose outcome the page polls."""
        return self.operation or self.unread


class OperationWithOrder(NamedTuple):
    """An operation and the copy of its order (None if none is stored), from one read."""

    operation: Operation
    view: OrderWithOperations | None


def list_orders(
    *,
    page: int,
    per_page: int,
    created_after: datetime | None,
    created_before: datetime | None,
    now: datetime,
) -> LivePage:
    """Return one live page of `GET /v1/orders`, within 10 s.

    The bounds are aware and inclusive. Raises CallsBlocked or a GoodyError: a failure is never
    returned as an empty list.
    """
    answer = _ask_for_page(page, per_page, created_after, created_before)
    created = upsert_or_log(answer.orders, read_at=now)
    record_anomalies(answer.orders, answer.quarantined, now=now)
    return LivePage(
        rows=_listed(answer.orders, created, read_at=now),
        total=answer.total_count,
        page=answer.page,
        per_page=answer.per_page,
        quarantined=len(answer.quarantined),
        as_of=now,
        was_cut=answer.per_page < per_page,
    )


def _ask_for_page(
    page: int, per_page: int, created_after: datetime | None, created_before: datetime | None
) -> OrderPage:
    """Return the page, or a smaller one with its first row if Goody's answer is too large."""

    def ask(page: int, per_page: int, policy: RetryPolicy) -> OrderPage:
        return goody_api.call_goody(
            lambda client, left: client.list_orders(
                page=page,
                per_page=per_page,
                created_after=created_after,
                created_before=created_before,
                policy=left,
            ),
            policy=policy,
        )

    started, policy = time.monotonic(), goody_api.page_retry_policy()
    try:
        return ask(page, per_page, policy)
    except BadResponse as error:
        if error.kind != "too_large" or per_page <= _SMALL_PAGE:
            raise
    first_row = (page - 1) * per_page
    left = goody_api.subtract_elapsed(policy, time.monotonic() - started)
    return ask(first_row // _SMALL_PAGE + 1, _SMALL_PAGE, left)


def _listed(
    orders: Sequence[GoodyOrder], created: Mapping[UUID, datetime], *, read_at: datetime
) -> tuple[ListedOrder, ...]:
    hits = [
        hit_from_order(order, created_at=created.get(order.id), read_at=read_at, missing_at=None)
        for order in orders
    ]
    return tuple(add_operations_to_hits(hits))


def listed_order(view: OrderWithOperations) -> ListedOrder:
    """Return the order as a row of a list."""
    times = view.order.event_times
    hit = hit_from_order(
        view.order,
        created_at=times.created_at if times else None,
        read_at=view.as_of,
        missing_at=view.as_of if view.is_missing else None,
    )
    return ListedOrder(hit, view.operation, view.is_cancel_on_record, view.unread, view.job)


def add_operations_to_hits(hits: Sequence[Hit]) -> list[ListedOrder]:
    """Return the hits, each with its open operation, job and the changes of confirmed writes."""
    ids = [hit.uuid for hit in hits]
    operations, jobs = operations_by_order(ids), jobs_by_order(ids)
    return [with_operations(hit, operations.get(hit.uuid, ()), jobs.get(hit.uuid)) for hit in hits]


def operations_by_order(order_ids: Sequence[UUID]) -> dict[UUID, list[Operation]]:
    """Return the operations on each of these orders that has any, newest first."""
    operations: dict[UUID, list[Operation]] = {}
    for operation in Operation.objects.history_of(order_ids):
        operations.setdefault(operation.order_uuid, []).append(operation)
    return operations


def jobs_by_order(order_ids: Sequence[UUID]) -> dict[UUID, BlockingJob]:
    """Return the job in which each of these orders waits."""
    return JobItem.objects.blocking_jobs(order_ids)


def with_operations(
    hit: Hit, operations: Sequence[Operation], job: BlockingJob | None
) -> ListedOrder:
    if not operations:
        return ListedOrder(hit, None, hit.status == "canceled", job=job)
    return ListedOrder(
        hit._replace(**changes_by_our_writes(hit, operations)),
        _open_one(operations),
        hit.status == "canceled" or any(one.is_cancel_in_force for one in operations),
        _unread_one(operations),
        job,
    )


def changes_by_our_writes(order: HasStatus, operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the fields that our writes changed and that this read of the order does not show yet.

    Goody's confirmation outranks later reads, which may be served from an older copy.
    """
    canceled_as = _status_by_our_cancel(order.status, operations)
    if canceled_as:
        return {"status": canceled_as}
    extension = confirmed_extension_not_shown(order, operations)
    return {"expires_at": extension.expiration} if extension else {}


def _status_by_our_cancel(status: str, operations: Sequence[Operation]) -> str:
    """Return the status after our applied cancel if a read still shows the order open, else "".

    Goody's confirmation outranks later reads, which may be served from an older copy.
    """
    cancel = next((one for one in operations if one.is_cancel_in_force), None)
    if cancel is None or status not in CANCELABLE:
        return ""
    return str((cancel.after or {}).get("status") or "failed")


def _blocking_one(operations: Sequence[Operation]) -> Operation | None:
    return next((one for one in operations if one.blocks_order), None)


def _unread_one(operations: Sequence[Operation]) -> Operation | None:
    return next((one for one in operations if one.awaits_read_after_refusal), None)


def _open_one(operations: Sequence[Operation]) -> Operation | None:
    return next((one for one in operations if one.is_open), None)


def refresh_order(*, order_id: UUID, now: datetime) -> OrderWithOperations:
    """Read one order from Goody, or return the stored copy with the problem.

    Without a copy, raises OrderNotFound, CallsBlocked or GoodyError.
    """
    try:
        order, operations = read_order(order_id, policy=goody_api.order_retry_policy())
    except NotFound as error:
        mark_missing(order_id, read_at=now)
        # Also when the flag could not be stored.
        return replace(_copy_or_raise(order_id, "", OrderNotFound(), error), is_missing=True)
    except (CallsBlocked, GoodyError) as error:
        if isinstance(error, GoodyError):
            log.info("order %s could not be read: %s", order_id, error.detail)
        return _copy_or_raise(order_id, stale_copy_reason(error), error, error)
    return _view(order, operations, as_of=now, is_fresh=True)


def stored_order(order_id: UUID) -> OrderWithOperations | None:
    """Return the stored copy without a call to Goody, or None."""
    row = Order.objects.find(order_id)
    return _copy(row, _operations(order_id), problem="") if row else None


def find_operation(order_id: UUID, operation_id: UUID) -> OperationWithOrder | None:
    """Return one operation on an order and the stored copy of the order, without a call to Goody.

    The operations are read once, so that both show the same state of it.
    """
    row, operations = Order.objects.find(order_id), _operations(order_id)
    found = next((one for one in operations if one.pk == operation_id), None)
    if found is None:
        return None
    return OperationWithOrder(found, _copy(row, operations, problem="") if row else None)


def _copy_or_raise(
    order_id: UUID, problem: str, otherwise: Exception, cause: Exception
) -> OrderWithOperations:
    row = Order.objects.find(order_id)
    if row is None:
        raise otherwise from cause
    return _copy(row, _operations(order_id), problem=problem)


def _copy(row: Order, operations: tuple[Operation, ...], *, problem: str) -> OrderWithOperations:
    return _view(
        row.to_goody_order(),
        operations,
        as_of=row.read_at,
        is_fresh=False,
        problem=problem,
        is_missing=row.missing_at is not None,
    )


def _view(
    order: GoodyOrder,
    operations: tuple[Operation, ...],
    *,
    as_of: datetime,
    is_fresh: bool,
    problem: str = "",
    is_missing: bool = False,
) -> OrderWithOperations:
    order = structs.replace(order, **changes_by_our_writes(order, operations))
    return OrderWithOperations(
        order=order,
        as_of=as_of,
        is_fresh=is_fresh,
        problem=problem,
        is_missing=is_missing,
        operation=_open_one(operations),
        blocking=_open_one(operations) or _blocking_one(operations),
        operations=operations,
        is_cancel_on_record=order.status == "canceled"
        or any(one.is_cancel_in_force for one in operations),
        unread=_unread_one(operations),
        job=JobItem.objects.blocking_jobs([order.id]).get(order.id),
    )


def _operations(order_id: UUID) -> tuple[Operation, ...]:
    try:
        return operations_on(order_id, now=timezone.now())
    except DatabaseFailure:
        log.warning("operations with an expired lease could not be abandoned")
        return Operation.objects.history_of([order_id])


def stale_copy_reason(error: Exception) -> str:
    """Return the reason why there is no fresh read, a sentence without a period."""
    if isinstance(error, goody_api.NotConfigured):
        return "The connection to Goody is not set up"
    if isinstance(error, goody_api.KeyRejected):
        return "Goody rejects the API key"
    if isinstance(error, goody_api.CallsPaused):
        return "Goody asks us to wait"
    text = str(error)
    return text[:1].upper() + text[1:]
