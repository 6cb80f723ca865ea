"""Creates jobs and changes their state for people: approve, decline, stop, resume."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from orders.audit import (
    REQUIRED_RIGHTS,
    Action,
    audited_action,
    record_job_action,
)
from orders.models import (
    OPEN_JOB_STATES,
    BlockingJob,
    ItemState,
    Job,
    JobItem,
    JobRelation,
    JobState,
    PauseReason,
    Selection,
)
from orders.rights import Actor
from orders.services import FormKeyReused

from .job_end import end_job
from .limits import check_bulk_limit

# A job number that another process took at the same time is chosen again.
_TRIES = 20
_INSERTED_AT_ONCE = 500


class TooManyOrders(Exception):
    """The job would have more items than BULK_MAX_ORDERS."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} orders")
        self.limit = limit


class JobChanged(Exception):
    """The state of the job does not allow the change (any more). `job` is the stored job."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"the job is {job.state}")
        self.job = job


class SelfApproval(Exception):
    """The person who requested a job cannot approve it."""


@dataclass(frozen=True, slots=True)
class JobParams:
    """The parameters of a job that apply to all its items.

    `reason` is a code of audit.REASONS (cancel only), `rule` the new expiration in words (extend
    only). `is_undo`: each expiration is set back.
    """

    reason: str = ""
    note: str = ""
    ticket: str = ""
    rule: str = ""
    may_shorten: bool = False
    is_undo: bool = False


@dataclass(frozen=True, slots=True)
class NewItem:
    """An order for a new job, with its snapshot that the person confirmed.

    `expiration` is aware, and required for an extension; `undoes_id` is the operation that an undo
    reverses. An item with a `skip_reason` (code) is skipped from the start; `skip_detail` is the
    sentence for it.
    """

    order_uuid: UUID
    snapshot: dict[str, Any]
    expiration: datetime | None = None
    undoes_id: UUID | None = None
    skip_reason: str = ""
    skip_detail: str = ""


@audited_action(Action.JOB_START)
def create_job(
    *,
    actor: Actor,
    action: Action,
    items: Sequence[NewItem],
    params: JobParams,
    description: str,
    form_key: UUID,
    now: datetime,
    parent: Job | None = None,
    relation: JobRelation | None = None,
) -> Job:
    """Store a job with its items and its intent in the audit; workers then run it.

    `description` names the list from which the orders were selected. A cancel of more than
    BULK_APPROVAL_ABOVE orders awaits the approval of another person; any other begins after the
    grace period. A repeated submit with the same key returns the first job.

    Raises NotAllowed, TooManyOrders, BulkLimitReached, FormKeyReused.
    """
    actor.require(REQUIRED_RIGHTS[action])
    assert actor.user_id is not None
    if not items or len({item.order_uuid for item in items}) < len(items):
        raise ValueError("a job needs orders, each of them once")
    if len(items) > settings.BULK_MAX_ORDERS:
        raise TooManyOrders(settings.BULK_MAX_ORDERS)
    job = Job(
        action=action,
        actor_id=actor.user_id,
        actor_name=actor.name,
        form_key=form_key,
        params=asdict(params),
        description=description,
        total=len(items),
        left_out=sum(bool(item.skip_reason) for item in items),
        parent=parent,
        relation=relation or "",
        created_at=now,
        **_first_state(action, items, now=now),
    )
    return _insert(job, items, actor=actor, params=params)


def _first_state(action: Action, items: Sequence[NewItem], *, now: datetime) -> dict[str, Any]:
    if needs_approval(action, count=sum(not item.skip_reason for item in items)):
        return {"state": JobState.AWAITING_APPROVAL, "due_at": now + _approval_time()}
    return _schedule(action, now=now)


def needs_approval(action: Action, *, count: int) -> bool:
    """Whether a job that sends `count` requests must be approved by another person."""
    return action == Action.ORDER_CANCEL and count > settings.BULK_APPROVAL_ABOVE


def approval_expires_at(job: Job) -> datetime:
    """Return the time until which the job may be approved."""
    return job.created_at + _approval_time()


def _approval_time() -> timedelta:
    return timedelta(seconds=settings.BULK_APPROVAL_EXPIRES)


def _schedule(action: Action | str, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a job that begins after the grace period; extensions have none."""
    grace = settings.BULK_CANCEL_GRACE if action == Action.ORDER_CANCEL else 0.0
    starts_at = now + timedelta(seconds=grace)
    return {"state": JobState.SCHEDULED, "starts_at": starts_at, "due_at": starts_at}


def _insert(job: Job, items: Sequence[NewItem], *, actor: Actor, params: JobParams) -> Job:
    earlier = Job.objects.filter(form_key=job.form_key).first()
    if earlier is not None:
        return _same_submit(earlier, job)
    for _ in range(_TRIES):
        job.number = (Job.objects.aggregate(Max("number"))["number__max"] or 0) + 1
        try:
            with transaction.atomic():
                _store(job, items, actor=actor, params=params)
        except IntegrityError:
            earlier = Job.objects.filter(form_key=job.form_key).first()
            if earlier is not None:
                return _same_submit(earlier, job)
        else:
            return job
    raise RuntimeError("no free number for a job")


def _same_submit(earlier: Job, job: Job) -> Job:
    """Return the job of an earlier equal submit. Raises FormKeyReused if it asked for others."""
    compared = ("actor_id", "action", "params", "total")
    if any(getattr(earlier, name) != getattr(job, name) for name in compared):
        raise FormKeyReused
    return earlier


def _store(job: Job, items: Sequence[NewItem], *, actor: Actor, params: JobParams) -> None:
    job.save(force_insert=True)
    held = blocking_jobs_by_order([item.order_uuid for item in items])
    rows = [
        _item(job, position, item, held.get(item.order_uuid))
        for position, item in enumerate(items, start=1)
    ]
    check_bulk_limit(
        actor,
        Selection.Action(job.action),
        count=sum(row.state == ItemState.PENDING for row in rows),
        now=job.created_at,
    )
    JobItem.objects.bulk_create(rows, batch_size=_INSERTED_AT_ONCE)
    record_job_action(
        actor,
        Action.JOB_START,
        job,
        detail=job_summary(job),
        now=job.created_at,
        reason=params.reason,
        note=params.note,
        ticket=params.ticket,
    )


def _item(job: Job, position: int, item: NewItem, holder: BlockingJob | None) -> JobItem:
    if job.action == Action.ORDER_EXTEND and item.expiration is None and not item.skip_reason:
        raise ValueError("an extension needs an expiration")
    reason, detail = item.skip_reason, item.skip_detail
    if holder is not None and not reason:
        reason, detail = "in_job", f"The order is part of job {holder.number}, which has not ended."
    return JobItem(
        job=job,
        position=position,
        order_uuid=item.order_uuid,
        snapshot=item.snapshot,
        expiration=item.expiration,
        undoes_id=item.undoes_id,
        state=ItemState.SKIPPED if reason else ItemState.PENDING,
        reason=reason,
        detail=detail,
        ended_at=job.created_at if reason else None,
    )


def job_summary(job: Job) -> str:
    """Return a description of the job for the audit: "Job 12: cancel 37 gifts. Orders that ..."."""
    verb = "cancel" if job.action == Action.ORDER_CANCEL else "extend"
    gifts = "1 gift" if job.planned == 1 else f"{job.planned:,} gifts"
    words = [f"Job {job.number}: {verb} {gifts}", job.params.get("rule", ""), job.description]
    return ". ".join(one.rstrip(".") for one in words if one) + "."


def blocking_jobs_by_order(order_ids: Collection[UUID]) -> dict[UUID, BlockingJob]:
    """Return the job in which each of these orders waits or is being changed."""
    found: dict[UUID, BlockingJob] = {}
    for some in batched(order_ids, _INSERTED_AT_ONCE):
        found |= JobItem.objects.blocking_jobs(some)
    return found


@audited_action(Action.JOB_APPROVE)
def approve_job(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Approve a job, which then begins. Raises NotAllowed, SelfApproval, JobChanged."""
    job = Job.objects.get(pk=job_id)
    if job.actor_id == actor.user_id:
        raise SelfApproval
    actor.require(REQUIRED_RIGHTS[Action(job.action)])
    if now >= approval_expires_at(job):
        raise JobChanged(job)
    changes = {
        "approved_by_id": actor.user_id,
        "approved_by_name": actor.name,
        "approved_at": now,
        **_schedule(job.action, now=now),
    }

    def approve() -> bool:
        waiting = Job.objects.filter(pk=job.pk, state=JobState.AWAITING_APPROVAL)
        return bool(waiting.update(**changes))

    return _change(actor, Action.JOB_APPROVE, job, approve, now=now)


@audited_action(Action.JOB_DECLINE)
def decline_job(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """End a job that awaits approval. Raises NotAllowed, SelfApproval, JobChanged.

    The person who requested the job stops it instead.
    """
    job = Job.objects.get(pk=job_id)
    if job.actor_id == actor.user_id:
        raise SelfApproval
    if job.state != JobState.AWAITING_APPROVAL:
        raise JobChanged(job)
    return _change(
        actor,
        Action.JOB_DECLINE,
        job,
        lambda: end_job(
            job, JobState.DECLINED, now=now, stopped_by_name=actor.name, stopped_at=now
        ),
        now=now,
    )


@audited_action(Action.JOB_STOP)
def stop_job(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Stop a job: no item begins any more, and at most one is still in flight.

    Before the grace period is over nothing has been sent. Raises NotAllowed, JobChanged.
    """
    job = Job.objects.get(pk=job_id)

    def stop() -> bool:
        # A worker may start or pause the job at the same time.
        while job.state in OPEN_JOB_STATES:
            if end_job(job, JobState.STOPPED, now=now, stopped_by_name=actor.name, stopped_at=now):
                return True
            job.refresh_from_db()
        return False

    return _change(actor, Action.JOB_STOP, job, stop, now=now)


@audited_action(Action.JOB_RESUME)
def resume_job(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Continue a paused job at once. Raises NotAllowed, JobChanged.

    The job pauses again if the reason for the pause still exists.
    """
    job = Job.objects.get(pk=job_id)

    def resume() -> bool:
        paused = Job.objects.filter(pk=job.pk, state=JobState.PAUSED)
        changes = {"state": JobState.RUNNING, "pause_reason": "", "paused_until": None}
        return bool(paused.update(due_at=now, queued_at=None, resumed_at=now, **changes))

    return _change(actor, Action.JOB_RESUME, job, resume, now=now)


def _change(
    actor: Actor,
    name: Action,
    job: Job,
    change: Callable[[], bool],
    *,
    now: datetime,
) -> Job:
    """Record and make a change in one transaction. Raises JobChanged if it was not made."""
    with transaction.atomic():
        record_job_action(actor, name, job, detail=job_summary(job), now=now)
        if not change():
            job.refresh_from_db()
            raise JobChanged(job)
    job.refresh_from_db()
    return job


# What ends each pause, for pages: these end by themselves, the others by a person.
PAUSES_THAT_END = frozenset(PauseReason) - {PauseReason.NOT_FOUND}
