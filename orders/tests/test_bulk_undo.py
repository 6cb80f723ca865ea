"""The undo of a bulk extension: what its preview promises is what the job does."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from orders import bulk, services
from orders.bulk.preview import Plan
from orders.bulk.selections import NothingSelected
from orders.bulk.submit import submit_plan
from orders.bulk.undo import freeze_undo, may_undo_job
from orders.models import Job, JobState, Selection
from orders.presenters.job_texts import job_title
from testing.bulk import eligibility_codes, plan
from testing.domain import actor, extend, goody_time, in_days
from testing.jobs import extend_job, open_orders, reasons, run_job, states
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db(transaction=True)
FORMER, FIRST, SECOND, THIRD = map(in_days, (10, 20, 30, 40))


def extended(emulator: Emulator, count: int) -> tuple[Job, list[UUID]]:
    """Return an ended job, and the orders that it extended from FORMER to FIRST."""
    orders = open_orders(emulator, count)
    for one in orders:
        emulator.change_order(one, expires_at=goody_time(FORMER))
    return run_job(extend_job(orders, expiration=FIRST)), orders


def undo_of(job: Job) -> tuple[Selection, Plan]:
    selection = freeze_undo(actor=actor("lead"), job_id=job.pk, list_url="/", now=timezone.now())
    return selection, plan(selection, is_undo=True)


def start(selection: Selection, planned: Plan) -> Job:
    return submit_plan(
        actor=actor("lead"),
        selection=selection,
        plan=planned,
        params=bulk.JobParams(may_shorten=True),
        now=timezone.now(),
    )


def test_gifts_that_were_extended_again_are_left_out_of_the_undo(emulator: Emulator) -> None:
    """By somebody here, and by somebody on Goody's own page."""
    job, orders = extended(emulator, 3)
    extend(orders[1], expiration=SECOND)
    emulator.change_order(orders[2], expires_at=goody_time(THIRD))
    services.refresh_order(order_id=orders[2], now=timezone.now() + timedelta(hours=1))

    selection, planned = undo_of(job)

    assert eligibility_codes(planned) == ["ok", "not_undoable", "not_undoable"]
    undo = run_job(start(selection, planned))
    assert states(undo) == ["done", "skipped", "skipped"]
    dates = [emulator.get_order(one)["expires_at"] for one in orders]
    assert dates == list(map(goody_time, (FORMER, SECOND, THIRD)))


def test_an_undo_is_not_undone_nor_what_was_left_of_it(emulator: Emulator) -> None:
    job, _ = extended(emulator, 2)
    assert may_undo_job(job, now=timezone.now())
    undo = start(*undo_of(job))
    bulk.stop_job(actor=actor("lead"), job_id=undo.pk, now=timezone.now())
    rest = run_job(bulk.run_remaining(actor=actor("lead"), job_id=undo.pk, now=timezone.now()))

    assert (rest.state, reasons(rest)) == (JobState.FINISHED, [("done", "")] * 2)
    assert job_title(rest) == "Undo the extension of 2 gifts"
    assert not may_undo_job(rest, now=timezone.now())
    with pytest.raises(NothingSelected):
        undo_of(rest)


def test_a_second_undo_finds_nothing_left_to_set_back(emulator: Emulator) -> None:
    job, _ = extended(emulator, 1)
    first, second = undo_of(job), undo_of(job)
    run_job(start(*first))

    assert eligibility_codes(plan(second[0], is_undo=True)) == ["not_undoable"]
    late = run_job(start(*second))
    assert [one[0] for one in reasons(late)] == ["skipped"]
    assert emulator.posts() == 2
