"""Creates the job of a selection from the plan that its preview showed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orders.audit import Action
from orders.models import Job, JobRelation, Selection
from orders.rights import Actor

from .jobs import JobParams, NewItem, create_job
from .preview import Plan, PlannedItem


def job_of_selection(selection: Selection) -> Job | None:
    """Return the job that was created from the selection, or None; there is at most one."""
    return Job.objects.filter(form_key=selection.pk).first()


def submit_plan(
    *, actor: Actor, selection: Selection, plan: Plan, params: JobParams, now: datetime
) -> Job:
    """Create the job of a plan. Orders that the plan leaves out become skipped items.

    A repeated submit returns the first job. Errors are those of `create_job`.
    """
    return create_job(
        actor=actor,
        action=Action(selection.action),
        items=[_new_item(one) for one in plan.items],
        params=replace(params, is_undo=selection.undoes is not None),
        description=selection.description,
        form_key=selection.pk,
        now=now,
        parent=selection.undoes,
        relation=JobRelation.UNDO if selection.undoes else None,
    )


def _new_item(item: PlannedItem) -> NewItem:
    reason = "" if item.is_included else item.eligibility.code
    return NewItem(
        item.order_uuid,
        item.snapshot,
        item.expiration,
        item.undoes_id,
        skip_reason=reason,
        skip_detail=item.eligibility.sentence if reason else "",
    )
