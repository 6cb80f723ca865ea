"""Jobs as rows, for tests of pages that show them; no worker runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from orders import bulk
from orders.audit import Action
from orders.models import ItemState, Job, JobItem, JobState
from orders.rights import Actor
from testing.domain import actor, in_days

SNAPSHOT = {
    "status": "notified",
    "expires_at": "2099-03-01T12:00:00+00:00",
    "recipient": ["Emma Novak", "emma@post.example"],
    "cart": [[2, "Tea box"], [1, "Jam flight"]],
    "amounts": [4410, None, None],
}


def make_job(
    *orders: UUID,
    count: int = 4,
    by: Actor | None = None,
    action: Action = Action.ORDER_CANCEL,
    **changes: Any,
) -> Job:
    """Store a job of these orders, or of `count` unknown ones, with the columns as overrides."""
    is_extension = action == Action.ORDER_EXTEND
    rule = "each by 14 days from its own expiration" if is_extension else ""
    params = bulk.JobParams(reason="" if is_extension else "duplicate", note="<Q4>", rule=rule)
    job = bulk.create_job(
        actor=by or actor("lead", "lena"),
        action=action,
        items=[
            bulk.NewItem(order, SNAPSHOT, in_days(30) if is_extension else None)
            for order in orders or [uuid4() for _ in range(count)]
        ],
        params=params,
        description="Status: notified",
        form_key=uuid4(),
        now=timezone.now(),
    )
    if changes:
        Job.objects.filter(pk=job.pk).update(**changes)
        job.refresh_from_db()
    return job


def set_items(job: Job, *states: ItemState, **changes: Any) -> list[JobItem]:
    """Set the states of the job's items, in their order; return the items."""
    items = list(job.items.order_by("position"))
    for item, state in zip(items, states, strict=True):
        item.state = state
        for name, value in changes.items():
            setattr(item, name, value)
        item.save()
    return items


def ended_job(*states: ItemState, state: JobState = JobState.FINISHED, **given: Any) -> Job:
    """Store an ended job with one item in each of these states; return the job."""
    orders: Sequence[UUID] = given.pop("orders", ())
    job = make_job(*orders, count=len(states), **given)
    set_items(job, *states)
    Job.objects.filter(pk=job.pk).update(state=state, ended_at=timezone.now())
    job.refresh_from_db()
    return job
