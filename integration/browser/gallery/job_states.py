"""The states of the pages of jobs, and of a page with the progress of a job in its top bar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page

from integration.browser.site import Site
from orders.audit import Action
from orders.models import Heartbeat, ItemState, Job, JobState, PauseReason
from testing.domain import actor
from testing.job_pages import ended_job, make_job, set_items

from .states import States, Visit, in_turn, path, shows, state

_DETAIL = "Goody refused: <b>غدا</b> " + "long" * 30
_DONE, _TO_DO = ItemState.DONE, ItemState.PENDING
_OUTCOMES = (_DONE, ItemState.SKIPPED, ItemState.FAILED, ItemState.UNKNOWN, ItemState.NOT_RUN)


def _worker() -> None:
    now = timezone.now()
    Heartbeat.objects.all().delete()
    Heartbeat.objects.create(worker="host:1", role="settling", started_at=now, beat_at=now)


def _open(page: Page, job: Job) -> None:
    page.goto(f"/jobs/{job.pk}/")


def _job(*states: ItemState, has_worker: bool = True, **columns: Any) -> Visit:
    """A job of the usual lead that no worker runs, with items in these states."""

    def visit(_: Site, page: Page) -> None:
        if has_worker:
            _worker()
        else:
            Heartbeat.objects.all().delete()
        job = make_job(count=len(states), by=actor("lead"), **columns)
        set_items(job, *states)
        _open(page, job)

    return visit


def _scheduled(_: Site, page: Page) -> None:
    _worker()
    _open(page, make_job(by=actor("lead"), starts_at=timezone.now() + timedelta(minutes=50)))


def _ended(*, unknown_reason: str = "unknown", **given: Any) -> Visit:
    def visit(_: Site, page: Page) -> None:
        _worker()
        columns = given.pop("columns", {})
        job = ended_job(*_OUTCOMES, by=actor("lead"), **given)
        job.items.exclude(state=_DONE).update(detail=_DETAIL)
        job.items.filter(state=ItemState.UNKNOWN).update(reason=unknown_reason)
        Job.objects.filter(pk=job.pk).update(**columns)
        _open(page, job)

    return visit


def _awaiting(username: str) -> Visit:
    """A job of the person with that name."""

    def visit(_: Site, page: Page) -> None:
        job = make_job(by=actor("lead", username), state=JobState.AWAITING_APPROVAL)
        _open(page, job)

    return visit


def _running(role: str = "lead") -> None:
    _worker()
    job = make_job(by=actor(role), state=JobState.RUNNING, started_at=timezone.now())
    set_items(job, _DONE, _TO_DO, _TO_DO, _TO_DO)


def _all_kinds(site: Site, page: Page) -> None:
    _running()
    ended_job(*_OUTCOMES, by=actor("lead"), action=Action.ORDER_EXTEND)
    make_job(by=actor("lead", "lee"), state=JobState.AWAITING_APPROVAL)
    page.goto("/jobs/")


def _fill_top_bar(site: Site, _: Page) -> None:
    """Everything that the top bar can count."""
    site.operation(site.known_order(), state="unknown", lease_until=timezone.now())
    _running("admin")
    make_job(by=actor("lead"), state=JobState.AWAITING_APPROVAL)


_PAUSED = {"state": JobState.PAUSED, "started_at": timezone.now()}

JOB: States = {
    "grace": state(in_turn(_scheduled, shows(".job-note", "It starts in")), role="lead"),
    "running": state(
        _job(_DONE, _DONE, ItemState.RUNNING, _TO_DO, state=JobState.RUNNING), role="lead"
    ),
    "no worker": state(_job(_TO_DO, has_worker=False, state=JobState.RUNNING), role="lead"),
    "Goody asks to wait": state(
        _job(
            _DONE,
            ItemState.WAITING,
            _TO_DO,
            pause_reason=PauseReason.RATE_LIMITED,
            paused_until=timezone.now() + timedelta(hours=2),
            **_PAUSED,
        ),
        role="lead",
    ),
    "orders not found": state(
        _job(ItemState.FAILED, _TO_DO, pause_reason=PauseReason.NOT_FOUND, **_PAUSED), role="lead"
    ),
    "approval asked by oneself": state(_awaiting("lead"), role="lead"),
    "approval asked by another": state(_awaiting("lee"), role="lead"),
    "stopped": state(
        _ended(state=JobState.STOPPED, columns={"stopped_by_name": "Lee Lead"}), role="lead"
    ),
    "extension with every outcome": state(
        _ended(action=Action.ORDER_EXTEND, unknown_reason="needs_human"), role="lead"
    ),
    "seen by a viewer": state(_ended(state=JobState.EXPIRED), role="viewer"),
}
JOBS: States = {
    "every kind": state(_all_kinds, role="lead"),
    "empty": state(path("/jobs/"), username="new-agent"),
    "in the top bar": state(
        in_turn(_fill_top_bar, path("/orders/"), shows("#job-status", "25 %")), role="admin"
    ),
}
