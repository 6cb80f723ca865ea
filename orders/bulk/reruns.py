"""Creates a follow-up job of the failed items of an ended job, or of items that were not run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from orders.audit import REQUIRED_RIGHTS, Action
from orders.models import ItemState, Job, JobItem, JobRelation
from orders.models.job import JobItemQuerySet
from orders.rights import Actor
from orders.services import FormKeyReused

from .jobs import JobChanged, JobParams, NewItem, create_job

# The items that a job of each relation takes over.
_TAKEN_OVER = {JobRelation.RETRY: ItemState.FAILED, JobRelation.REST: ItemState.NOT_RUN}


def items_to_run_again(job: Job, relation: JobRelation) -> JobItemQuerySet:
    """Return the items for a follow-up job, without those that an earlier one has taken over.

    Another follow-up job may be needed if an unknown outcome is settled as failed later.
    """
    children = Job.objects.filter(parent=job, relation=relation)
    taken = JobItem.objects.filter(job__in=children).values("order_uuid")
    items = JobItem.objects.filter(job=job, state=_TAKEN_OVER[relation])
    return items.exclude(order_uuid__in=taken)


def retry_failed(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Create a job of the items that failed. Errors as `create_job`; JobChanged if there are none.

    A repeated call returns the job that the first one made; FormKeyReused if another person did.
    It has the snapshots of the first job, so that orders which changed since are skipped.
    """
    return _run_again(actor, job_id, JobRelation.RETRY, now=now)


def run_remaining(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Create a job of the items that were not run. Otherwise as `retry_failed`."""
    return _run_again(actor, job_id, JobRelation.REST, now=now)


def _run_again(actor: Actor, job_id: UUID, relation: JobRelation, *, now: datetime) -> Job:
    actor.require(REQUIRED_RIGHTS[Action.JOB_START])
    job = Job.objects.get(pk=job_id)
    if job.ended_at is None:
        raise JobChanged(job)
    # Before the items: a job that is made meanwhile has the same key.
    earlier = list(job.children.filter(relation=relation).order_by("number"))
    items = items_to_run_again(job, relation).order_by("position")
    again = [
        NewItem(item.order_uuid, item.snapshot, item.expiration, item.undoes_id) for item in items
    ]
    if not again:
        return _last_of(earlier, job, actor=actor)
    return create_job(
        actor=actor,
        action=Action(job.action),
        items=again,
        params=JobParams(**job.params),
        description=job.description,
        form_key=uuid5(job.pk, f"{relation} {len(earlier)}"),
        now=now,
        parent=job,
        relation=relation,
    )


def _last_of(earlier: Sequence[Job], job: Job, *, actor: Actor) -> Job:
    """Return the job that this person has made of the same items."""
    if not earlier:
        raise JobChanged(job)
    if earlier[-1].actor_id != actor.user_id:
        raise FormKeyReused
    return earlier[-1]
