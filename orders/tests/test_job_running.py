"""Jobs that run: outcomes, pauses, retries, rights, stops. The emulator counts what is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders import bulk, goody_api
from orders.audit import Action
from orders.models import (
    ApiLimits,
    AuditEntry,
    ItemState,
    Job,
    JobCounts,
    JobItem,
    JobState,
    Operation,
    PauseReason,
)
from testing.domain import (
    actor,
    cancel,
    failing_statements,
    goody_time,
    in_days,
    read_until_settled,
    store_operation,
)
from testing.jobs import (
    cancel_job,
    extend_job,
    job_history,
    open_orders,
    reasons,
    run_job,
    run_now,
    settle_everything,
    states,
)
from testing.users import make_user
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db(transaction=True)

TOO_MANY = {"kind": "status", "status": 429}


@pytest.fixture(autouse=True)
def _no_grace(settings: Any) -> None:
    settings.BULK_CANCEL_GRACE = 0


def counts(job: Job) -> JobCounts:
    return JobItem.objects.filter(job=job).counts()


def test_a_job_cancels_its_orders_and_names_itself_in_the_audit(emulator: Emulator) -> None:
    orders = open_orders(emulator, 3)
    job = run_job(cancel_job(orders))
    assert (job.state, counts(job)) == (JobState.FINISHED, JobCounts(done=3))
    assert {emulator.get_order(one)["status"] for one in orders} == {"failed"}
    assert emulator.posts() == 3
    assert job_history(job)[1:] == [("job.start", "Goody Admin", "finished", "3 done")]
    of_items = AuditEntry.objects.exclude(operation=None).order_by("id")
    assert [(row.job_id, row.actor_name, row.outcome, row.ticket) for row in of_items] == [
        (job.pk, "Lead", "", "ZD-1234"),
        (job.pk, "Goody Admin", "applied", ""),
    ] * 3
    assert run_job(job).lease_token == 1


def test_a_job_extends_each_order_to_its_own_date(emulator: Emulator) -> None:
    orders, until = open_orders(emulator, 2), in_days(50)
    job = run_job(extend_job(orders, expiration=until))
    assert (job.state, counts(job)) == (JobState.FINISHED, JobCounts(done=2))
    assert {emulator.get_order(one)["expires_at"] for one in orders} == {goody_time(until)}
    assert set(Operation.objects.values_list("note", "ticket")) == {("Holidays", "ZD-1234")}


def test_nothing_is_sent_before_the_end_of_the_grace_period(
    emulator: Emulator, settings: Any
) -> None:
    settings.BULK_CANCEL_GRACE = 60
    job = run_job(cancel_job(open_orders(emulator, 1)))
    assert (job.state, emulator.posts()) == (JobState.SCHEDULED, 0)
    assert run_now(job).state == JobState.FINISHED


def test_orders_that_changed_since_they_were_selected_are_skipped(emulator: Emulator) -> None:
    orders = open_orders(emulator, 4)
    job = cancel_job(orders)
    emulator.change_order(orders[1], status="accepted")
    emulator.change_order(orders[2], expires_at=goody_time(in_days(9)))
    emulator.change_order(orders[3], status="canceled")
    assert reasons(run_job(job)) == [
        ("done", ""),
        ("skipped", "accepted"),
        ("skipped", "moved"),
        ("skipped", "ended"),
    ]
    assert JobItem.objects.get(position=3).detail.startswith("The order changed since you looked.")
    assert emulator.posts() == 1
    assert job_history(job)[-1][2:] == ("finished", "1 done, 3 skipped")


def test_an_unknown_outcome_is_settled_by_reads(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    settings.GOODY_WRITE_DEADLINE = 0.3
    orders = open_orders(emulator, 2)
    job = cancel_job(orders)
    emulator.add_fault({"kind": "apply_then_hang", "seconds": 1}, method="POST", times=1)
    emulator.add_fault({"kind": "cut"}, method="POST", times=1)
    run_job(job)
    assert (job.state, states(job)) == (JobState.FINISHED, ["unknown", "unknown"])
    assert job_history(job)[-1][2:] == ("finished", "2 being checked")
    for one in Operation.objects.all():
        read_until_settled(one, clock)
    assert reasons(job) == [("done", ""), ("failed", "not_applied")]


def test_a_rate_limit_makes_the_item_and_the_job_wait(emulator: Emulator, clock: Any) -> None:
    job = cancel_job(open_orders(emulator, 2))
    fault = {**TOO_MANY, "headers": {"Retry-After": "120"}}
    emulator.add_fault(fault, method="POST", times=1)
    run_job(job)
    assert (job.state, job.pause_reason) == (JobState.PAUSED, PauseReason.RATE_LIMITED)
    assert reasons(job) == [("waiting", "rate_limited"), ("pending", "")]
    assert job.paused_until is not None
    assert abs(job.paused_until - timezone.now() - timedelta(seconds=120)) < timedelta(seconds=5)
    assert run_job(job).state == JobState.PAUSED
    clock.shift(121)
    assert (run_job(job).state, counts(job)) == (JobState.FINISHED, JobCounts(done=2))
    assert emulator.posts() == 3
    assert Operation.objects.values("form_key").distinct().count() == 3


def test_the_fifth_rate_limit_pauses_the_job_for_longer(emulator: Emulator, clock: Any) -> None:
    job = cancel_job(open_orders(emulator, 1))
    emulator.add_fault(TOO_MANY, method="POST", times=5)
    waits = []
    for _ in range(5):
        run_job(job)
        assert job.paused_until is not None
        waits.append(round((job.paused_until - timezone.now()).total_seconds()))
        clock.shift(job.paused_until - timezone.now() + timedelta(seconds=1))
    assert waits == [5, 10, 20, 40, 900]
    assert (run_job(job).state, emulator.posts()) == (JobState.FINISHED, 6)


def test_no_item_waits_for_a_time_of_another_clock(emulator: Emulator, clock: Any) -> None:
    job = cancel_job(open_orders(emulator, 1))
    emulator.add_fault(TOO_MANY, method="POST", times=1)
    run_job(job)
    ApiLimits.objects.update(paused_until=None)
    JobItem.objects.update(due_at=timezone.now() + timedelta(days=3))
    Job.objects.update(due_at=timezone.now())
    run_job(job)
    assert (job.state, states(job)) == (JobState.RUNNING, ["waiting"])
    clock.shift(901)
    assert run_job(job).state == JobState.FINISHED


def test_a_rejected_key_pauses_the_job_until_the_key_is_accepted(emulator: Emulator) -> None:
    job = cancel_job(open_orders(emulator, 2))
    emulator.add_fault({"kind": "status", "status": 401}, method="GET", times=1)
    run_job(job)
    assert (job.state, job.pause_reason) == (JobState.PAUSED, PauseReason.KEY_REJECTED)
    assert (job.paused_until, states(job)) == (None, ["waiting", "pending"])
    assert run_now(job).state == JobState.PAUSED
    ApiLimits.objects.accept_key()
    assert (run_now(job).state, counts(job)) == (JobState.FINISHED, JobCounts(done=2))
    assert emulator.posts() == 2


def test_a_post_that_was_answered_401_is_not_sent_again(emulator: Emulator) -> None:
    job = cancel_job(open_orders(emulator, 2))
    emulator.add_fault({"kind": "status", "status": 401}, method="POST", times=1)
    assert run_job(job).pause_reason == PauseReason.KEY_REJECTED
    assert reasons(job) == [("failed", "key_rejected"), ("pending", "")]
    ApiLimits.objects.accept_key()
    assert (run_now(job).state, emulator.posts()) == (JobState.FINISHED, 2)


def test_three_unknown_orders_in_a_row_pause_the_job(emulator: Emulator) -> None:
    orders = open_orders(emulator, 6)
    job = cancel_job(orders)
    for one in (orders[0], *orders[2:5]):
        emulator.add_fault({"kind": "status", "status": 404}, path=f"/v1/orders/{one}", times=None)
    run_job(job)
    assert (job.state, job.pause_reason, job.due_at) == (
        JobState.PAUSED,
        PauseReason.NOT_FOUND,
        None,
    )
    assert states(job) == ["failed", "done", "failed", "failed", "failed", "pending"]
    bulk.resume_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    assert (run_job(job).state, counts(job)) == (JobState.FINISHED, JobCounts(done=2, failed=4))


def test_missing_settings_pause_the_job(emulator: Emulator, settings: Any) -> None:
    job = cancel_job(open_orders(emulator, 1))
    key, settings.GOODY_API_KEY = settings.GOODY_API_KEY, ""
    assert run_job(job).pause_reason == PauseReason.NOT_CONFIGURED
    settings.GOODY_API_KEY = key
    assert run_now(job).state == JobState.FINISHED


def test_the_job_waits_while_goody_is_unreachable(emulator: Emulator, settings: Any) -> None:
    job = cancel_job(open_orders(emulator, 2))
    url, settings.GOODY_API_URL = settings.GOODY_API_URL, "http://127.0.0.1:9"
    run_job(job)
    assert (job.state, job.pause_reason) == (JobState.PAUSED, PauseReason.UNREACHABLE)
    assert reasons(job) == [("waiting", "connect"), ("pending", "")]
    settings.GOODY_API_URL = url
    assert (run_now(job).state, counts(job)) == (JobState.FINISHED, JobCounts(done=2))


def test_an_order_that_cannot_be_read_fails_after_five_attempts(emulator: Emulator) -> None:
    orders = open_orders(emulator, 2)
    job = cancel_job(orders)
    fault = {"kind": "body", "as": "html"}
    emulator.add_fault(fault, path=f"/v1/orders/{orders[0]}", times=None)
    for _ in range(5):
        assert job.state != JobState.FINISHED
        run_now(job)
    assert (job.state, counts(job)) == (JobState.FINISHED, JobCounts(done=1, failed=1))
    assert Operation.objects.filter(order_uuid=orders[0]).count() == 5
    assert emulator.posts() == 1


@pytest.mark.parametrize(
    ("what", "when", "posts"),
    [
        ("INSERT", "NEW.state = 'planned'", 0),
        ("UPDATE", "NEW.state = 'applied'", 1),
    ],
)
def test_a_failing_database_neither_loses_nor_repeats_an_item(
    emulator: Emulator, clock: Any, what: str, when: str, posts: int
) -> None:
    orders = open_orders(emulator, 2)
    job = cancel_job(orders)
    with failing_statements("orders_operation", what, when=when):
        run_job(job)
    assert (job.state, job.lease_until, emulator.posts()) == (JobState.RUNNING, None, posts)
    assert job.due_at is not None
    assert job.due_at > timezone.now() + timedelta(seconds=2)
    assert states(job)[1] == "pending"
    clock.shift(61)
    settle_everything(job, clock)
    assert (job.state, counts(job)) == (JobState.FINISHED, JobCounts(done=2))
    assert emulator.posts() == 2


def test_an_item_waits_while_the_slots_of_writes_are_taken(
    emulator: Emulator, settings: Any
) -> None:
    settings.GOODY_WRITE_SLOT_WAIT = 0.01
    job = cancel_job(open_orders(emulator, 1))
    with goody_api.write_slot(), goody_api.write_slot():
        run_job(job)
    assert (job.state, reasons(job)) == (JobState.RUNNING, [("waiting", "slots")])
    assert run_now(job).state == JobState.FINISHED


@pytest.mark.parametrize("loss", ["role", "active"])
def test_lost_rights_end_the_job_at_the_next_item(emulator: Emulator, loss: str) -> None:
    job = cancel_job(open_orders(emulator, 3), actor=actor("lead", "pat"))
    fault = {**TOO_MANY, "headers": {"Retry-After": "1"}}
    emulator.add_fault(fault, method="POST", times=1, skip=1)
    run_job(job)
    user = make_user("agent" if loss == "role" else "lead", "pat")
    user.is_active = loss == "role"
    user.save()
    ApiLimits.objects.update(paused_until=None)
    run_now(job)
    assert (job.state, job.stopped_by_name) == (JobState.STOPPED, "Goody Admin")
    assert states(job) == ["done", "not_run", "not_run"]
    detail = "Pat may no longer change many orders at once. 1 done, 2 not run"
    assert job_history(job)[-1][2:] == ("stopped", detail)
    assert emulator.posts() == 2


def test_an_order_with_another_open_change_waits_and_is_skipped(emulator: Emulator) -> None:
    orders = open_orders(emulator, 2)
    job = cancel_job(orders)
    store_operation(order_uuid=orders[0], state="unknown", sent_at=timezone.now())
    for _ in range(5):
        run_now(job)
    assert (job.state, reasons(job)) == (JobState.FINISHED, [("skipped", "busy"), ("done", "")])
    assert emulator.posts() == 1


def test_the_limit_of_single_cancels_neither_stops_a_job_nor_counts_it(
    emulator: Emulator, settings: Any
) -> None:
    settings.CANCELS_PER_HOUR = 1
    orders = open_orders(emulator, 4)
    lead = actor("lead")
    cancel(orders[3], actor=lead)
    assert counts(run_job(cancel_job(orders[:3], actor=lead))) == JobCounts(done=3)
    Operation.objects.filter(job=None).update(created_at=timezone.now() - timedelta(hours=2))
    cancel(open_orders(emulator, 1)[0], actor=lead)


def test_an_approval_that_nobody_gave_expires(emulator: Emulator, settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 0
    job = cancel_job(open_orders(emulator, 2))
    assert run_job(job).state == JobState.AWAITING_APPROVAL
    run_now(job)
    assert (job.state, counts(job)) == (JobState.EXPIRED, JobCounts(not_run=2))
    assert job_history(job)[-1][2:] == ("expired", "2 not run")
    assert emulator.posts() == 0


def test_a_job_of_an_unknown_version_waits(emulator: Emulator) -> None:
    job = cancel_job(open_orders(emulator, 1))
    Job.objects.update(version=2)
    assert bulk.queue_due_jobs(now=timezone.now()) == 0
    assert (run_now(job).state, emulator.posts()) == (JobState.SCHEDULED, 0)
    stopped = bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    assert stopped.state == JobState.STOPPED


def test_a_retry_sends_only_what_failed(emulator: Emulator) -> None:
    orders = open_orders(emulator, 2)
    job = cancel_job(orders)
    emulator.add_fault({"kind": "status", "status": 422}, method="POST", times=1)
    assert states(run_job(job)) == ["failed", "done"]
    again = bulk.retry_failed(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    assert (run_job(again).state, states(again)) == (JobState.FINISHED, ["done"])
    assert emulator.posts() == 3


def test_an_undo_job_restores_the_former_dates(emulator: Emulator) -> None:
    orders = open_orders(emulator, 1)
    former = in_days(10)
    emulator.change_order(orders[0], expires_at=goody_time(former))
    run_job(extend_job(orders, expiration=in_days(20)))
    done = Operation.objects.get()
    items = [bulk.NewItem(orders[0], done.after or {}, former, undoes_id=done.pk)]
    undo = run_job(cancel_job((), action=Action.ORDER_EXTEND, items=items))
    assert states(undo) == ["done"]
    assert emulator.get_order(orders[0])["expires_at"] == goody_time(former)


def test_all_jobs_together_keep_the_pace(emulator: Emulator, settings: Any) -> None:
    settings.BULK_ITEMS_PER_SECOND = 1000
    settings.GOODY_CALLS_PER_SECOND = 40
    job = cancel_job(open_orders(emulator, 6))
    began = timezone.now()
    assert run_job(job).state == JobState.FINISHED
    # Two may start at once, and ten a second after that.
    assert timezone.now() - began >= timedelta(seconds=0.3)


def test_a_slice_ends_after_its_time_and_the_job_is_due_at_once(
    emulator: Emulator, settings: Any
) -> None:
    settings.BULK_SLICE = 0.0001
    job = cancel_job(open_orders(emulator, 3))
    for done in (1, 2):
        run_job(job)
        assert (job.state, counts(job)) == (
            JobState.RUNNING,
            JobCounts(done=done, pending=3 - done),
        )
    assert run_job(job).state == JobState.FINISHED
    assert job.lease_token == 3


def test_an_item_in_flight_ends_a_stopped_job_when_it_ends(emulator: Emulator) -> None:
    job = cancel_job(open_orders(emulator, 2))
    Job.objects.update(state=JobState.RUNNING, lease_token=1)
    JobItem.objects.filter(position=1).update(state=ItemState.RUNNING, token=1)
    bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    run_job(job)
    assert states(job) == ["not_run", "not_run"]
    assert job.ended_at is not None
    assert job_history(job)[-1][2:] == ("stopped", "2 not run")
    assert emulator.posts() == 0
