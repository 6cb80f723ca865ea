"""Tasks wake workers up for jobs: each is safe to lose, to repeat and to delay."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_rq.settings import QUEUES
from django_tasks_db.models import DBTaskResult

from orders import bulk
from orders.bulk.tasks import LOST_AFTER, run_job_task
from orders.models import Job, JobState
from orders.services import cleanup
from testing.jobs import cancel_job, open_orders, states
from testing.operations import in_threads
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(emulator: Emulator, settings: Any) -> Job:
    settings.BULK_CANCEL_GRACE = 0
    return cancel_job(open_orders(emulator, 2))


def queue() -> int:
    return bulk.queue_due_jobs(now=timezone.now())


def run() -> bool:
    return bulk.run_due_jobs(stop=threading.Event())


def test_a_due_job_is_queued_once_and_run(job: Job, emulator: Emulator) -> None:
    assert (queue(), queue(), DBTaskResult.objects.count()) == (1, 0, 1)
    assert run()
    job.refresh_from_db()
    assert (job.state, states(job)) == (JobState.FINISHED, ["done", "done"])
    assert not run()
    assert [one.status for one in DBTaskResult.objects.all()] == ["SUCCESSFUL"]


def test_a_job_is_not_queued_before_it_is_due(job: Job, settings: Any) -> None:
    Job.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    assert not run()
    Job.objects.update(due_at=None)
    assert not run()


def test_a_lost_task_is_queued_again(job: Job, emulator: Emulator, clock: Any) -> None:
    assert queue() == 1
    DBTaskResult.objects.update(status="RUNNING")
    clock.shift(LOST_AFTER - timedelta(seconds=5))
    assert not run()
    clock.shift(6)
    assert run()
    job.refresh_from_db()
    assert job.state == JobState.FINISHED


def test_a_repeated_task_does_nothing(job: Job, emulator: Emulator) -> None:
    assert run()
    for _ in range(3):
        run_job_task.enqueue(str(job.pk))
    assert [run() for _ in range(4)] == [True, True, True, False]
    assert emulator.posts() == 2


def test_workers_at_once_queue_one_task(job: Job) -> None:
    assert sum(map(int, map(str, in_threads(4, queue)))) == 1
    assert DBTaskResult.objects.count() == 1


def test_a_job_whose_time_another_clock_set_is_not_forgotten(job: Job, clock: Any) -> None:
    Job.objects.update(due_at=timezone.now() + timedelta(days=3))
    assert queue() == 0
    clock.shift(901)
    assert queue() == 1


@pytest.mark.parametrize("is_there", [False, True], ids=["dead", "silent"])
def test_a_job_is_run_while_its_queue_does_not_answer(
    job: Job, emulator: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    settings.TASKS = {"default": {"BACKEND": "orders.bulk.redis_tasks.RedisTasks"}}
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if is_there else 9
        url = f"redis://127.0.0.1:{port}/0?socket_timeout=0.2&socket_connect_timeout=0.2"
        monkeypatch.setitem(QUEUES["default"], "URL", url)
        assert run()
    job.refresh_from_db()
    assert (job.state, emulator.posts()) == (JobState.FINISHED, 2)


def test_a_stop_of_the_worker_ends_the_slice(job: Job, emulator: Emulator) -> None:
    stop = threading.Event()
    stop.set()
    assert bulk.run_due_jobs(stop=stop)
    job.refresh_from_db()
    assert (job.state, job.lease_until, emulator.posts()) == (JobState.RUNNING, None, 0)


def test_old_tasks_are_deleted(job: Job, emulator: Emulator, clock: Any) -> None:
    assert queue() == 1
    clock.shift(timedelta(hours=23))
    cleanup.clean_up_database(now=timezone.now())
    assert DBTaskResult.objects.count() == 1
    clock.shift(timedelta(hours=2))
    cleanup.clean_up_database(now=timezone.now())
    assert not DBTaskResult.objects.exists()
