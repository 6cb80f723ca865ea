"""The queue of tasks in Redis or Valkey (django-tasks-rq), chosen by the setting TASKS_URL.

Only this module needs the packages of requirements-rq.txt.
"""

from __future__ import annotations

from collections.abc import Iterable

import django_rq
from django.conf import settings
from django.core.checks import CheckMessage
from django.tasks import DEFAULT_TASK_QUEUE_NAME
from django_tasks_rq import Job, RQBackend
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import SimpleWorker
from rq.timeouts import TimerDeathPenalty

# Seconds that a page waits for the server.
_PING_TIMEOUT = 1.0


class _ThreadWorker(SimpleWorker):
    """A worker in a thread of `manage.py work`, where it can handle no signals."""

    # Of RQ's callbacks; tasks have no timeout.
    death_penalty_class = TimerDeathPenalty

    @property
    def connection_timeout(self) -> int:
        """The socket's timeout in seconds, short because the worker never waits for a task."""
        return 5

    def _install_signal_handlers(self) -> None:
        pass

    def subscribe(self) -> None:
        """Accept no commands: they would need a thread for each task."""

    def unsubscribe(self) -> None:
        pass


class RedisTasks(RQBackend):
    """Tasks are jobs of RQ. A task that is lost with Redis is queued again."""

    def check(self, **_: object) -> Iterable[CheckMessage]:
        """Return no message: the backend's own check requires the pages of django-rq."""
        return ()

    def run_next_task(self) -> bool:
        """Run the next task in this thread; return False if the queue is empty."""
        queue = django_rq.get_queue(DEFAULT_TASK_QUEUE_NAME, job_class=Job)
        if queue.is_empty():
            return False
        worker = _ThreadWorker([queue], connection=queue.connection, job_class=Job)
        worker.work(burst=True, max_jobs=1, logging_level="WARNING")
        return True

    def is_reachable(self) -> bool:
        """Whether the server answers a single request within a second."""
        limits = {"socket_timeout": _PING_TIMEOUT, "socket_connect_timeout": _PING_TIMEOUT}
        try:
            with Redis.from_url(
                settings.TASKS_URL, retry=Retry(NoBackoff(), 0), **limits
            ) as server:
                return bool(server.ping())
        except RedisError:
            return False
