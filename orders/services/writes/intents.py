"""Commits the intent of a write: the operation and its audit row, before anything is sent.

Database constraints decide which of several submits proceeds: an order has at most one open
operation, and a form key at most one operation.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection
from django.db import Error as DatabaseFailure

from orders.audit import Action, record_intent
from orders.models import (
    LEASED_STATES,
    BlockingJob,
    ItemClaim,
    JobItem,
    Operation,
    OperationText,
    Order,
)
from orders.models.statements import database_values, select_tuples
from orders.outages import log_storage_failure
from orders.rights import Actor

from .cancel_limit import check_cancel_limit
from .job_items import link_item
from .transitions import release_form, store_in_transaction

log = logging.getLogger(__name__)


class FormKeyReused(Exception):
    """The one-time key of the form was used before with other parameters. Nothing was sent."""


class OrderBusy(Exception):
    """Another operation on this order is open, or may still take effect. Nothing was sent."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(f"operation {operation.pk} is open")
        self.operation = operation


class OrderInJob(Exception):
    """The order waits in a job, which alone may change it. Nothing was sent."""

    def __init__(self, job: BlockingJob) -> None:
        super().__init__(f"the order is part of job {job.number}")
        self.job = job


class TooManyWrites(Exception):
    """All slots for writes stayed taken. Nothing was recorded and nothing was sent."""


class NotRecorded(Exception):
    """The database failed before anything was sent. The same form may be submitted again."""


@dataclass(frozen=True)
class WriteRequest:
    """The parameters of a submitted form."""

    action: Action
    order_uuid: UUID
    reason: str = ""
    note: str = ""
    ticket: str = ""
    expiration: datetime | None = None
    undoes_id: UUID | None = None
    may_shorten: bool = False

    def stored_fields(self) -> dict[str, Any]:
        """Return the fields that an operation stores: all but the confirmation to shorten."""
        return {name: value for name, value in asdict(self).items() if name != "may_shorten"}


@dataclass(frozen=True)
class SubmittedWrite:
    """A submitted form: its parameters, who submitted it, and its one-time key.

    `claim` is that of an item of a job, which is submitted like a form.
    """

    request: WriteRequest
    actor: Actor
    form_key: UUID
    claim: ItemClaim | None = None

    @property
    def order_uuid(self) -> UUID:
        return self.request.order_uuid

    @property
    def digest(self) -> str:
        """A hash of all parameters, by which submits with the same key are compared."""
        given = {**asdict(self.request), "actor": self.actor.user_id}
        values = json.dumps(given, sort_keys=True, default=str)
        return hashlib.sha256(values.encode()).hexdigest()


def find_earlier_submit(submit: SubmittedWrite) -> Operation | None:
    """Return the operation of an earlier equal submit, or None.

    Raises FormKeyReused; OrderBusy when another operation on the order is open, before the submit
    waits for a slot; NotRecorded when the database fails.
    """
    try:
        _release_unclaimed(submit.order_uuid)
        return _earlier_submit(submit)
    except DatabaseFailure as error:
        log_storage_failure(log, "an intent", error)
        raise NotRecorded from error


def commit_intent(
    submit: SubmittedWrite, *, snapshot: dict[str, Any], now: datetime
) -> tuple[Operation, bool]:
    """Commit the intent and return (operation, True), or (earlier operation, False) if repeated.

    Raises the errors of `find_earlier_submit`, whose checks are repeated here by constraints.
    """
    try:
        operation = _intent(submit, snapshot=snapshot, now=now)
        store_in_transaction(lambda: _store_intent(operation, submit))
    except IntegrityError as error:
        return _resolve_conflict(submit, error), False
    except DatabaseFailure as error:
        log_storage_failure(log, "an intent", error)
        raise NotRecorded from error
    return operation, True


def _store_intent(operation: Operation, submit: SubmittedWrite) -> None:
    """Insert the operation, then check that no closed write may still take effect.

    An open write is excluded by the constraint of one open operation an order. Jobs have limits of
    their own.
    """
    claim = submit.claim
    if operation.action == Action.ORDER_CANCEL and claim is None:
        check_cancel_limit(submit.actor, now=operation.created_at)
    Operation.objects.insert(operation)
    if claim is not None:
        link_item(claim, operation)
    elif job := JobItem.objects.blocking_jobs([operation.order_uuid]).get(operation.order_uuid):
        raise OrderInJob(job)
    OperationText.objects.store(operation)
    blocking = Operation.objects.find_blocking(operation.order_uuid)
    if blocking is not None:
        raise OrderBusy(blocking)
    record_intent(operation, request_id=submit.actor.request_id)


def _intent(submit: SubmittedWrite, *, snapshot: dict[str, Any], now: datetime) -> Operation:
    actor = submit.actor
    assert actor.user_id is not None
    return Operation(
        **submit.request.stored_fields(),
        reference_id=_reference_id(submit.order_uuid),
        actor_id=actor.user_id,
        actor_name=actor.name,
        job_id=submit.claim.job_id if submit.claim else None,
        form_key=submit.form_key,
        params_hash=submit.digest,
        before=snapshot,
        created_at=now,
        lease_until=now + timedelta(seconds=settings.OPERATION_LEASE),
    )


def _reference_id(order_id: UUID) -> str:
    """Return the reference of an order, or "" if the index does not have it."""
    values = database_values(Order, "uuid", [order_id], using=DEFAULT_DB_ALIAS)
    source = "orders_order WHERE uuid = %s"
    found = select_tuples(["reference_id"], source, values, using=DEFAULT_DB_ALIAS)
    return found[0][0] if found else ""


def _earlier_submit(submit: SubmittedWrite) -> Operation | None:
    found = Operation.objects.of_form_or_open(submit.form_key, submit.order_uuid)
    earlier = next((one for one in found if one.form_key == submit.form_key), None)
    if earlier is None and found:
        raise OrderBusy(found[0])
    if earlier is not None and earlier.params_hash != submit.digest:
        raise FormKeyReused
    return earlier


def _resolve_conflict(submit: SubmittedWrite, error: IntegrityError) -> Operation:
    """Return the operation of an equal submit that was stored first, or raise OrderBusy."""
    earlier = _earlier_submit(submit)
    if earlier is not None:
        return earlier
    # The other one was closed since, or another constraint refused.
    log_storage_failure(log, "an intent", error)
    raise NotRecorded from error


# Operations of this process that could not be claimed for sending and are not closed yet: id and
# order. Their threads are done with them, so that nothing of them is sent any more.
_unclaimed: dict[UUID, UUID] = {}
# Seconds between the attempts to close them.
_RETRY_EVERY = 0.5


def abandon_unclaimed(operation: Operation) -> None:
    """Close an operation whose claim the database refused.

    While the database refuses that too, a thread retries it until the lease expires, because other
    processes take the operation for one in progress.
    """
    _unclaimed[operation.pk] = operation.order_uuid
    try:
        _release_unclaimed(operation.order_uuid)
    except DatabaseFailure as error:
        log.warning("an operation stays planned until it is tried again: %s", type(error).__name__)
        Thread(target=_keep_releasing, args=(operation,), daemon=True).start()


def _keep_releasing(operation: Operation) -> None:
    until = time.monotonic() + settings.OPERATION_LEASE
    while operation.pk in _unclaimed and time.monotonic() < until:
        time.sleep(_RETRY_EVERY)
        with suppress(DatabaseFailure):
            _release_unclaimed(operation.order_uuid)
        connection.close()
    _unclaimed.pop(operation.pk, None)


def _release_unclaimed(order_id: UUID) -> None:
    """Close operations that could not begin, so that the order takes other writes."""
    for operation_id in [one for one, order in list(_unclaimed.items()) if order == order_id]:
        operation = Operation.objects.filter(pk=operation_id, state__in=LEASED_STATES).first()
        if operation is not None:
            release_form(operation)
        _unclaimed.pop(operation_id, None)
