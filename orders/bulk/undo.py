"""Selects the extensions of a job to undo them. The undo goes through the same preview."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from orders import services
from orders.audit import Action
from orders.eligibility import is_same_second, snapshot_expiration
from orders.models import (
    FrozenOrder,
    ItemState,
    Job,
    JobItem,
    Operation,
    Selection,
)
from orders.models.job import JobItemQuerySet
from orders.rights import Actor, Right

from .selections import NothingSelected


def may_undo_job(job: Job, *, now: datetime) -> bool:
    """Whether the job has ended and any former expiration of its gifts is in the future."""
    is_extension = job.action == Action.ORDER_EXTEND and not job.is_undo
    return is_extension and job.ended_at is not None and _undoable(job, now=now).exists()


def _undoable(job: Job, *, now: datetime) -> JobItemQuerySet:
    """Return the items that Goody confirmed and whose former expiration is in the future.

    An undo is not undone. The preview and the job leave out orders that were extended again since.
    """
    return JobItem.objects.filter(
        job_id=job.pk,
        state=ItemState.DONE,
        operation__confirmed_at__isnull=False,
        operation__contradicted_at=None,
        operation__undoes=None,
        operation__expires_before__gt=now,
    )


def freeze_undo(*, actor: Actor, job_id: UUID, list_url: str, now: datetime) -> Selection:
    """Store a selection of the orders that the job extended, each with its former expiration.

    It is visible to the actor alone. `list_url` is the page to return to. Raises NotAllowed,
    NothingSelected.
    """
    actor.require(Right.BULK)
    actor.require(Right.EXTEND)
    job = Job.objects.get(pk=job_id)
    if not may_undo_job(job, now=now):
        raise NothingSelected
    assert actor.user_id is not None
    return Selection.objects.create(
        owner_id=actor.user_id,
        action=Selection.Action.EXTEND,
        description=f"Extended by job {job.number}",
        list_url=list_url,
        orders=[one.serialize() for one in _frozen(job, now=now)],
        undoes=job,
        created_at=now,
    )


def _frozen(job: Job, *, now: datetime) -> list[FrozenOrder]:
    items = list(_undoable(job, now=now).select_related("operation").order_by("position"))
    stored = services.stored_snapshots([item.order_uuid for item in items])
    return [
        FrozenOrder(
            item.order_uuid,
            _as_extended(item.operation, stored[item.order_uuid].snapshot),
            stored[item.order_uuid].content_hash,
            expiration=item.operation.expires_before,
            undoes_id=item.operation.pk,
        )
        for item in items
        if item.operation is not None and item.order_uuid in stored
    ]


def _as_extended(operation: Operation, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return the snapshot with the expiration that the operation set.

    The preview compares it with the present expiration.
    """
    assert operation.expiration is not None
    if is_same_second(snapshot_expiration(snapshot), operation.expiration):
        return snapshot
    return {**snapshot, "expires_at": operation.expiration.isoformat()}
