"""Wakes workers up for jobs that are due, through Django's Tasks framework.

A task only means "run job N": it may be lost, repeated or late. `queue_due_jobs` queues
another one for a job whose task was lost, and `run_job` does nothing for a job that is not due.
While the queue is unreachable, the worker runs due jobs without a task.
"""

from __future__ import annotations

import logging
import threading
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db.models import Q, QuerySet
from django.tasks import default_task_backend, task
from django.utils import timezone

from orders.models import JOB_VERSION, Job, JobState

from .runner import run_job

log = logging.getLogger(__name__)

# A task that no worker began within this time is taken for lost.
LOST_AFTER = timedelta(seconds=30)
_QUEUED_AT_ONCE = 50
# Set by the worker in whose thread the tasks run.
_stop: ContextVar[threading.Event] = ContextVar("stop")


class TaskQueue(Protocol):
    """The method that the task backends of this package have beyond Django's interface."""

    def run_next_task(self) -> bool:
        """Run the next task in this thread; return False if the queue is empty."""

    def is_reachable(self) -> bool:
        """Whether the queue answers; takes a second at most."""


@task
def run_job_task(job_id: str) -> None:
    run_job(UUID(job_id), stop=_stop.get(threading.Event()))


def run_due_jobs(*, stop: threading.Event) -> bool:
    """Queue tasks for due jobs and run one task in this thread; return False if there is none.

    A loop of the worker calls it. `stop` ends the task after the item in progress. While the queue
    is unreachable, the job that has been due for longest is run.
    """
    queue_due_jobs(now=timezone.now())
    token = _stop.set(stop)
    try:
        return cast("TaskQueue", default_task_backend).run_next_task()
    except DatabaseFailure:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the queue's client raises
        return _run_without_queue(error, stop)
    finally:
        _stop.reset(token)


def _run_without_queue(error: Exception, stop: threading.Event) -> bool:
    due = _due_jobs(timezone.now()).first()
    if due is None:
        return False
    log.warning("job %s runs without the queue: %s", due.number, type(error).__name__)
    run_job(due.pk, stop=stop)
    return True


def is_queue_reachable() -> bool:
    """Whether the queue of tasks answers."""
    return cast("TaskQueue", default_task_backend).is_reachable()


def queue_due_jobs(*, now: datetime) -> int:
    """Queue a task for each job that is due and has none; return their number.

    A conditional UPDATE lets one of several workers queue it. A queue that does not answer is
    tried again after LOST_AFTER.
    """
    _bound_times(now)
    is_unqueued = Q(queued_at=None) | Q(queued_at__lte=now - LOST_AFTER)
    is_unqueued |= Q(queued_at__gt=now + LOST_AFTER)
    return sum(_queue(job, now) for job in _due_jobs(now).filter(is_unqueued)[:_QUEUED_AT_ONCE])


def _due_jobs(now: datetime) -> QuerySet[Job]:
    """Return the due jobs that no worker runs.

    Times too far in the future were stored before the clock was set back, and are ignored.
    """
    length = timedelta(seconds=settings.BULK_LEASE)
    is_free = Q(lease_until=None) | Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * length)
    due = Job.objects.filter(is_free, ended_at=None, due_at__lte=now, version=JOB_VERSION)
    return due.order_by("due_at")


def _queue(job: Job, now: datetime) -> bool:
    unchanged = Job.objects.filter(pk=job.pk, queued_at=job.queued_at, ended_at=None)
    if not unchanged.update(queued_at=now):
        return False
    try:
        run_job_task.enqueue(str(job.pk))
    except DatabaseFailure:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the queue's client raises
        log.warning("job %s could not be queued: %s", job.number, type(error).__name__)
        return False
    return True


def _bound_times(now: datetime) -> None:
    """Shorten waits that are longer than any wait that begins now: the clock was set back."""
    longest = max(settings.GOODY_LONGEST_WAIT, settings.BULK_CANCEL_GRACE)
    latest = now + timedelta(seconds=longest)
    late = Job.objects.filter(ended_at=None, due_at__gt=latest)
    late = late.exclude(state=JobState.AWAITING_APPROVAL)
    if late.exists():
        # What the page of the job says must be when it starts or goes on.
        late.filter(state=JobState.SCHEDULED).update(starts_at=latest)
        late.filter(state=JobState.PAUSED).exclude(paused_until=None).update(paused_until=latest)
        late.update(due_at=latest)
