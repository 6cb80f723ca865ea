"""What people do with jobs: create, approve, decline, stop, resume, run again; and their audit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from orders import bulk, services
from orders.audit import Action
from orders.models import AuditEntry, ItemState, Job, JobCounts, JobItem, JobState, PauseReason
from orders.rights import NotAllowed
from testing.domain import actor, in_days
from testing.jobs import PARAMS, cancel_job, extend_job, job_history, reasons, states

pytestmark = pytest.mark.django_db

DETAIL = "Job 1: cancel 3 gifts. Orders that expire soon."


def some_items(count: int = 3, **fields: Any) -> list[bulk.NewItem]:
    return [bulk.NewItem(uuid4(), {"status": "notified"}, **fields) for _ in range(count)]


def new_job(count: int = 3, **given: Any) -> Job:
    return cancel_job((), items=some_items(count), **given)


def test_a_new_job_has_items_an_intent_and_a_grace_period() -> None:
    now = timezone.now()
    job = new_job(now=now)
    assert (job.number, job.state, job.starts_at) == (
        1,
        JobState.SCHEDULED,
        now + timedelta(seconds=60),
    )
    assert job.params == {
        "reason": "duplicate",
        "note": "",
        "ticket": "ZD-1234",
        "rule": "",
        "may_shorten": False,
        "is_undo": False,
    }
    assert states(job) == ["pending"] * 3
    assert job_history(job) == [("job.start", "Lead", "", DETAIL)]
    entry = AuditEntry.objects.get(job=job)
    assert (entry.reason, entry.ticket, entry.request_id) == ("duplicate", "ZD-1234", "req-1")
    assert new_job().number == 2


def test_an_extension_has_no_grace_period_and_needs_an_expiration() -> None:
    now = timezone.now()
    items = some_items(2, expiration=in_days(20))
    job = cancel_job((), action=Action.ORDER_EXTEND, items=items, now=now)
    assert (job.state, job.starts_at) == (JobState.SCHEDULED, now)
    with pytest.raises(ValueError, match="needs an expiration"):
        cancel_job((), action=Action.ORDER_EXTEND, items=some_items())


def test_the_same_form_makes_one_job() -> None:
    key, items = uuid4(), some_items()
    first = cancel_job((), items=items, form_key=key)
    assert cancel_job((), items=items, form_key=key).pk == first.pk
    assert Job.objects.count() == 1
    with pytest.raises(services.FormKeyReused):
        cancel_job((), items=some_items(2), form_key=key)


def test_limits_and_rights_of_a_new_job(settings: Any) -> None:
    settings.BULK_MAX_ORDERS = 2
    with pytest.raises(bulk.TooManyOrders):
        new_job(3)
    with pytest.raises(NotAllowed):
        new_job(2, actor=actor("agent"))
    item = some_items(1)
    for wrong in ([], item * 2):
        with pytest.raises(ValueError, match="each of them once"):
            bulk.create_job(
                actor=actor("lead"),
                action=Action.ORDER_CANCEL,
                items=wrong,
                params=PARAMS,
                description="",
                form_key=uuid4(),
                now=timezone.now(),
            )
    assert not Job.objects.exists()


def test_the_cap_of_a_day_is_decided_with_the_job(settings: Any) -> None:
    settings.BULK_CANCELS_PER_DAY = {"lead": 4}
    key, items = uuid4(), some_items(3)
    job = cancel_job((), items=items, form_key=key)
    with pytest.raises(bulk.BulkLimitReached, match="You can cancel 1 more gift"):
        new_job(2)
    assert cancel_job((), items=items, form_key=key).pk == job.pk
    bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    assert new_job(4).total == 4
    with pytest.raises(bulk.BulkLimitReached):
        bulk.run_remaining(actor=actor("lead"), job_id=job.pk, now=timezone.now())


def test_the_limit_counts_what_waits_and_what_ended_within_a_day(settings: Any) -> None:
    """Also of a job that waited for its approval, or was paused, for longer."""
    settings.BULK_CANCELS_PER_DAY = {"lead": 3}
    now = timezone.now()
    job = new_job(3, now=now - timedelta(hours=30))
    with pytest.raises(bulk.BulkLimitReached, match="You can cancel no more gifts"):
        new_job(1)
    ends = (now - timedelta(hours=25), now - timedelta(hours=1), None)
    for position, ended_at in enumerate(ends, start=1):
        done = {"ended_at": ended_at, "state": "done" if ended_at else "skipped"}
        JobItem.objects.filter(position=position).update(**done)
    Job.objects.filter(pk=job.pk).update(state=JobState.FINISHED, ended_at=now)
    assert new_job(2).total == 2
    with pytest.raises(bulk.BulkLimitReached):
        new_job(1)


def test_items_that_the_preview_or_another_job_excludes_are_skipped() -> None:
    first = new_job(1)
    held = JobItem.objects.get(job=first).order_uuid
    given = [
        bulk.NewItem(held, {}),
        bulk.NewItem(uuid4(), {}, skip_reason="ended", skip_detail="Cannot be canceled."),
        bulk.NewItem(uuid4(), {}),
    ]
    job = cancel_job((), items=given)
    assert reasons(job) == [("skipped", "in_job"), ("skipped", "ended"), ("pending", "")]
    detail = JobItem.objects.get(job=job, position=1).detail
    assert detail == "The order is part of job 1, which has not ended."
    found = bulk.blocking_jobs_by_order([one.order_uuid for one in given])
    assert {order: one.number for order, one in found.items()} == {
        held: 1,
        given[2].order_uuid: 2,
    }
    assert (job.total, job.left_out) == (3, 1)
    assert JobItem.objects.filter(job=job).counts() == JobCounts(pending=1, skipped=2)
    assert JobItem.objects.counts_by_job() == {
        first.pk: JobCounts(pending=1),
        job.pk: JobCounts(pending=1, skipped=2),
    }


def test_many_cancels_wait_for_the_approval_of_another_person(settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 2
    job, now = new_job(3), timezone.now()
    assert (job.state, job.starts_at) == (JobState.AWAITING_APPROVAL, None)
    with pytest.raises(bulk.SelfApproval):
        bulk.approve_job(actor=actor("lead"), job_id=job.pk, now=now)
    with pytest.raises(NotAllowed):
        bulk.approve_job(actor=actor("agent"), job_id=job.pk, now=now)
    approved = bulk.approve_job(actor=actor("lead", "second"), job_id=job.pk, now=now)
    assert approved.state == JobState.SCHEDULED
    assert (approved.approved_by_name, approved.approved_at) == ("Second", now)
    assert approved.starts_at == now + timedelta(seconds=60)
    assert job_history(job) == [
        ("job.start", "Lead", "", DETAIL),
        ("job.approve", "Second", "", DETAIL),
    ]
    with pytest.raises(bulk.JobChanged):
        bulk.approve_job(actor=actor("admin"), job_id=job.pk, now=now)


def test_an_approval_may_be_declined_and_expires(settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 2
    job, late = new_job(3), timezone.now() + timedelta(days=1, seconds=1)
    with pytest.raises(bulk.JobChanged):
        bulk.approve_job(actor=actor("admin"), job_id=job.pk, now=late)
    with pytest.raises(bulk.SelfApproval):
        bulk.decline_job(actor=actor("lead"), job_id=job.pk, now=late)
    declined = bulk.decline_job(actor=actor("admin"), job_id=job.pk, now=late)
    assert (declined.state, declined.stopped_by_name) == (JobState.DECLINED, "Admin")
    assert states(job) == ["not_run"] * 3
    assert job_history(job)[1:] == [
        ("job.decline", "Admin", "", DETAIL),
        ("job.start", "Goody Admin", "declined", "3 not run"),
    ]
    with pytest.raises(bulk.JobChanged):
        bulk.decline_job(actor=actor("admin"), job_id=job.pk, now=late)


def test_a_stop_before_the_start_is_a_true_undo() -> None:
    job, now = new_job(), timezone.now()
    stopped = bulk.stop_job(actor=actor("admin"), job_id=job.pk, now=now)
    assert (stopped.state, stopped.stopped_by_name, stopped.ended_at) == (
        JobState.STOPPED,
        "Admin",
        now,
    )
    assert states(job) == ["not_run"] * 3
    assert job_history(job)[1:] == [
        ("job.stop", "Admin", "", DETAIL),
        ("job.start", "Goody Admin", "stopped", "3 not run"),
    ]
    assert bulk.blocking_jobs_by_order(JobItem.objects.values_list("order_uuid", flat=True)) == {}
    with pytest.raises(bulk.JobChanged):
        bulk.stop_job(actor=actor("admin"), job_id=job.pk, now=now)


def test_a_stop_leaves_the_item_in_flight() -> None:
    job, now = new_job(), timezone.now()
    Job.objects.update(state=JobState.RUNNING)
    JobItem.objects.filter(position=1).update(state=ItemState.RUNNING)
    stopped = bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=now)
    assert (stopped.state, stopped.ended_at) == (JobState.STOPPED, None)
    assert states(job) == ["running", "not_run", "not_run"]
    assert [row[:3] for row in job_history(job)] == [
        ("job.start", "Lead", ""),
        ("job.stop", "Lead", ""),
    ]


def test_a_person_resumes_a_paused_job() -> None:
    job, now = new_job(), timezone.now()
    with pytest.raises(bulk.JobChanged):
        bulk.resume_job(actor=actor("lead"), job_id=job.pk, now=now)
    Job.objects.update(state=JobState.PAUSED, pause_reason=PauseReason.NOT_FOUND, due_at=None)
    resumed = bulk.resume_job(actor=actor("lead"), job_id=job.pk, now=now)
    assert (resumed.state, resumed.pause_reason, resumed.due_at) == (JobState.RUNNING, "", now)
    assert job_history(job)[-1][:2] == ("job.resume", "Lead")


@pytest.mark.parametrize(
    ("again", "relation", "positions"),
    [(bulk.retry_failed, "retry", [2]), (bulk.run_remaining, "rest", [3, 4])],
)
def test_a_new_job_takes_over_the_items_of_one_outcome(
    again: Any, relation: str, positions: list[int]
) -> None:
    job = extend_like(4)
    JobItem.objects.filter(position=1).update(state=ItemState.DONE)
    JobItem.objects.filter(position=2).update(state=ItemState.FAILED)
    with pytest.raises(bulk.JobChanged):
        again(actor=actor("admin"), job_id=job.pk, now=timezone.now())
    bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    found = again(actor=actor("admin"), job_id=job.pk, now=timezone.now())
    assert (found.parent_id, found.relation, found.params) == (job.pk, relation, job.params)
    assert (found.actor_name, found.description) == ("Admin", job.description)
    assert facts_of(found) == [
        fact for position, fact in enumerate(facts_of(job), 1) if position in positions
    ]
    with pytest.raises(NotAllowed):
        again(actor=actor("agent"), job_id=job.pk, now=timezone.now())


def extend_like(count: int) -> Job:
    items = some_items(count, expiration=in_days(20))
    return cancel_job((), action=Action.ORDER_EXTEND, items=items)


def facts_of(job: Job) -> list[tuple[UUID, Any, Any]]:
    items = JobItem.objects.filter(job=job).order_by("position")
    return list(items.values_list("order_uuid", "snapshot", "expiration"))


def test_a_job_of_extensions_names_its_rule_in_the_audit(emulator: Any) -> None:
    job = extend_job([UUID(emulator.find_order_id(status="opened"))])
    detail = "Job 1: extend 1 gift. Each to one date. Orders that expire soon."
    assert job_history(job) == [("job.start", "Lead", "", detail)]
