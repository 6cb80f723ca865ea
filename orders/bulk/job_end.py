"""Ends jobs: marks their waiting items as not run, and records the outcomes in the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orders.audit import record_job_end
from orders.models import ItemState, Job, JobCounts, JobItem, JobState

_OUTCOMES = (
    ("done", "done"),
    ("skipped", "skipped"),
    ("failed", "failed"),
    ("being_checked", "being checked"),
    ("needs_human", "to settle by hand"),
    ("not_run", "not run"),
)


def end_job(job: Job, state: JobState, *, now: datetime, **changes: Any) -> bool:
    """Change an open job to an end state; return False if another process changed it meanwhile.

    Its waiting items become "not run". An item in flight keeps its state until its operation ends.
    Call it in a transaction.
    """
    current = Job.objects.filter(pk=job.pk, state=job.state)
    changes = {"pause_reason": "", "paused_until": None, "due_at": now, **changes}
    if not current.update(state=state, **changes):
        return False
    waiting = JobItem.objects.filter(
        job_id=job.pk, state__in=(ItemState.PENDING, ItemState.WAITING)
    )
    waiting.update(state=ItemState.NOT_RUN, ended_at=now, due_at=None, reason="", detail="")
    job.refresh_from_db()
    record_end_if_over(job, now=now)
    return True


def record_end_if_over(job: Job, *, now: datetime) -> bool:
    """Record the end of an ended job in the audit; return False while an item is in flight.

    Call it in a transaction.
    """
    counts = JobItem.objects.filter(job_id=job.pk).counts()
    if counts.open:
        return False
    current = Job.objects.filter(pk=job.pk, state=job.state, ended_at=None)
    if current.update(ended_at=now, due_at=None, queued_at=None):
        detail = f"{job.stop_reason} {describe_item_counts(counts)}".strip()
        record_job_end(job, outcome=job.state, detail=detail, now=now)
        job.refresh_from_db()
    return True


def describe_item_counts(counts: JobCounts) -> str:
    """Return the counts of items by state as text for the audit: "35 done, 2 skipped"."""
    found = ((getattr(counts, name), words) for name, words in _OUTCOMES)
    return ", ".join(f"{count:,} {words}" for count, words in found if count)
