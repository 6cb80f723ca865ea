"""The pages of jobs, and the changes of a job: stop, resume, approve, decline, run again, undo."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from django import shortcuts
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST, require_safe

from orders import bulk, services
from orders.bulk.selections import NothingSelected
from orders.bulk.undo import freeze_undo, may_undo_job
from orders.models import Job, JobItem, JobRelation, JobState, Order
from orders.presenters import job_items, job_list, job_page
from orders.presenters.csv_files import job_csv_chunks
from orders.presenters.elements import Banner
from orders.presenters.job_status import make_job_status
from orders.presenters.job_texts import job_name, job_title
from orders.rights import Actor, Right
from orders.services import health
from orders.viewer import Request

from .concurrency import DOWNLOAD, in_concurrency_group
from .http import HttpResponseSeeOther, RestrictedView, render_page_or_partial, requires_right

# More jobs are not open at a time.
_MOST_POLLED = 200
_LIST, _PAGE = "jobs/list.html", "jobs/job.html"


@require_safe
@requires_right(Right.READ)
def jobs(request: Request) -> HttpResponse:
    """Show all jobs, open ones first; `of=mine` selects the person's own."""
    viewer = request.viewer
    is_own_only = request.GET.get("of") == "mine"
    found = Job.objects.filter(actor_id=viewer.actor.user_id) if is_own_only else Job.objects.all()
    awaiting, running = _shown_first(found, request)
    shown = [*awaiting, *running]
    others = found.exclude(ended_at=None).exclude(pk__in=[one.pk for one in shown])
    ended = _page_of(others, request, per_page=job_list.PER_PAGE)
    shown += ended.object_list
    context = {
        "list": job_list.make_job_list(
            awaiting,
            running,
            ended,
            JobItem.objects.filter(job__in=shown).counts_by_job(),
            is_own_only=is_own_only,
            viewer=viewer,
        )
    }
    return render_page_or_partial(request, _LIST, context, {"jobs": "jobs"})


def _shown_first(found: QuerySet[Job], request: Request) -> tuple[list[Job], list[Job]]:
    """Return the jobs that await approval and those that run; in a poll, the requested ones."""
    if "poll" in request.GET:
        awaiting, running = (
            list(found.filter(number__in=_numbers(request.GET.get(name, ""))))
            for name in ("awaiting", "running")
        )
        return awaiting, running
    is_asked = Q(state=JobState.AWAITING_APPROVAL)
    open_jobs = found.filter(ended_at=None)
    return list(open_jobs.filter(is_asked)), list(open_jobs.exclude(is_asked))


def _numbers(text: str) -> list[int]:
    """Return the numbers in "12.14"; others are ignored."""
    parts = text.split(".")[:_MOST_POLLED]
    return [int(one) for one in parts if one.isascii() and one.isdigit() and len(one) < 10]


def _page_of[M: (Job, JobItem)](rows: QuerySet[M], request: Request, *, per_page: int) -> Page[M]:
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


@require_safe
@requires_right(Right.BULK)
def job_status(request: Request, job_id: UUID) -> HttpResponse:
    """Return the progress of the person's job, which the top bar polls; 204 if there is none."""
    viewer = request.viewer
    progress = bulk.job_progress(viewer.actor, job_id)
    if progress is None:
        return HttpResponse(status=204)
    status = make_job_status(progress, clock=viewer.clock)
    return shortcuts.render(request, "includes/job_status.html", {"status": status})


@require_safe
@requires_right(Right.READ)
def job(request: Request, job_id: UUID) -> HttpResponse:
    """Show a job to everybody who may read orders: it is a part of their history.

    `outcome` filters the items. A poll without changes gets a 204.
    """
    return _job_page(request, _get_job(job_id))


def _get_job(job_id: UUID) -> Job:
    return get_object_or_404(Job.objects.select_related("parent"), pk=job_id)


def _job_page(
    request: Request, shown: Job, *, problem: Banner | None = None, status: int = 200
) -> HttpResponse:
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in job_items.OUTCOMES else ""
    data = _page_data(request, shown)
    token = job_page.poll_token(shown, data)
    if request.GET.get("poll") == token and token != job_page.MOVING:
        return HttpResponse(status=204)
    items = shown.items.select_related("operation").order_by("position")
    if outcome:
        items = items.filter(state__in=job_items.OUTCOMES[outcome])
    page = _page_of(items, request, per_page=job_page.PER_PAGE)
    context = {
        "job": job_page.make_job_page(
            shown,
            page,
            data,
            outcome=outcome,
            is_live=shown.ended_at is None or "live" in request.GET,
            viewer=request.viewer,
        ),
        "problem_banner": problem,
    }
    return render_page_or_partial(request, _PAGE, context, {"job": "job"}, status=status)


def _page_data(request: Request, shown: Job) -> job_page.JobPageData:
    now = request.viewer.now
    counts = shown.items.counts()
    awaits_approval = shown.state == JobState.AWAITING_APPROVAL
    needs_worker = shown.is_open or counts.being_checked
    return job_page.JobPageData(
        counts=counts,
        pace=bulk.measure_pace(shown, counts, now=now),
        children=list(shown.children.order_by("number")),
        released=_released(shown) if awaits_approval else "",
        was_sent=shown.state == JobState.STOPPED
        and shown.operations.exclude(sent_at=None).exists(),
        failed_left=_left(shown, JobRelation.RETRY, counts.failed),
        not_run_left=_left(shown, JobRelation.REST, counts.not_run),
        has_undo=may_undo_job(shown, now=now),
        is_worker_missing=bool(needs_worker) and not health.is_worker_alive(now=now),
    )


def _left(shown: Job, relation: JobRelation, count: int) -> int:
    """Return how many of `count` items may be run again, once the job has ended."""
    if shown.ended_at is None or not count:
        return 0
    return bulk.items_to_run_again(shown, relation).count()


def _released(shown: Job) -> str:
    return job_items.released_amount_text(shown.items.open().values_list("snapshot", flat=True))


@in_concurrency_group(GET=DOWNLOAD)
@require_GET
@requires_right(Right.EXPORT)
def job_export(request: Request, job_id: UUID) -> HttpResponseBase:
    """Return the results of a job as CSV; the download is audited."""
    shown, viewer = _get_job(job_id), request.viewer
    items = list(shown.items.select_related("operation").order_by("position"))
    ids = [item.order_uuid for item in items]
    known = Order.objects.filter(uuid__in=ids).values_list("uuid", "reference_id")
    name = f"{job_name(shown)}: {job_title(shown).lower()}"
    intent = services.start_export(actor=viewer.actor, filters=name, now=viewer.now)
    services.record_export_end(intent, rows=len(items))
    return HttpResponse(
        b"".join(job_csv_chunks(items, dict(known), clock=viewer.clock)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="job-{shown.number}.csv"'},
    )


# --- changes ----------------------------------------------------------------------------------


class _JobChange(Protocol):
    """A function that changes a job and returns it, or the job that it made."""

    def __call__(self, *, actor: Actor, job_id: UUID, now: datetime) -> Job: ...


def _change_view(right: Right, change: _JobChange) -> RestrictedView[UUID]:
    """Return a view that makes a change and redirects to the page of the job it returns."""

    @require_POST
    @requires_right(right)
    def view(request: Request, job_id: UUID) -> HttpResponseBase:
        return _run_change(request, job_id, change)

    return view


# Stops a job, or withdraws one that awaits approval.
job_stop = _change_view(Right.BULK, bulk.stop_job)
job_resume = _change_view(Right.BULK, bulk.resume_job)
job_approve = _change_view(Right.APPROVE, bulk.approve_job)
job_decline = _change_view(Right.APPROVE, bulk.decline_job)
job_retry = _change_view(Right.BULK, bulk.retry_failed)
job_run_remaining = _change_view(Right.BULK, bulk.run_remaining)


@require_POST
@requires_right(Right.BULK)
def job_undo(request: Request, job_id: UUID) -> HttpResponseBase:
    """Select the orders that a job extended, and redirect to the preview of the undo."""
    shown, viewer = _get_job(job_id), request.viewer
    try:
        selection = freeze_undo(
            actor=viewer.actor,
            job_id=job_id,
            list_url=reverse("job", args=[job_id]),
            now=viewer.now,
        )
    except NothingSelected:
        return _job_page(request, shown, problem=_NOT_UNDOABLE, status=409)
    return HttpResponseSeeOther(reverse("selection", args=[selection.pk]))


def _run_change(request: Request, job_id: UUID, change: _JobChange) -> HttpResponseBase:
    shown = _get_job(job_id)
    viewer = request.viewer
    try:
        changed = change(actor=viewer.actor, job_id=job_id, now=viewer.now)
    except bulk.JobChanged:
        shown.refresh_from_db()
        return _job_page(request, shown, problem=_CHANGED, status=409)
    except bulk.SelfApproval:
        return _job_page(request, shown, problem=_OWN_JOB, status=403)
    except services.FormKeyReused:
        return _job_page(request, shown, problem=_DONE_BY_ANOTHER, status=409)
    except bulk.BulkLimitReached as reached:
        banner = Banner(tone="bad", title=str(reached), sentence="Nothing was sent.")
        return _job_page(request, shown, problem=banner, status=409)
    return HttpResponseSeeOther(reverse("job", args=[changed.pk]))


_CHANGED = Banner(
    tone="warn",
    title="The job has changed meanwhile, so nothing was done",
    sentence="This is how it stands now.",
)
_NOT_UNDOABLE = Banner(
    tone="warn",
    title="Nothing of this job can be undone any more",
    sentence="The former expirations have passed, or the gifts were changed since.",
)
_OWN_JOB = Banner(
    tone="bad",
    title="You asked for this job, so another lead must approve or decline it",
    sentence="Nothing was sent. You can withdraw it.",
)
_DONE_BY_ANOTHER = Banner(
    tone="warn",
    title="Somebody else has already done this",
    sentence="The job that came of it is named below.",
)
