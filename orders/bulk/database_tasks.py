"""The queue of tasks in the database (django-tasks-db), which needs no other service."""

from __future__ import annotations

from django_tasks_db.backend import DatabaseBackend
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from orders.services.health import process_name


class DatabaseTasks(DatabaseBackend):
    """A queue of tasks as rows. The task of a process that dies stays "running" and is ignored."""

    def run_next_task(self) -> bool:
        """Run the next task in this thread; return False if the queue is empty.

        An empty queue is detected without SQLite's write lock.
        """
        if not DBTaskResult.objects.ready().filter(backend_name=self.alias).exists():
            return False
        worker = Worker(
            queue_names=["*"],
            excluded_queue_names=[],
            interval=0,
            batch=True,
            backend_name=self.alias,
            startup_delay=False,
            max_tasks=1,
            worker_id=process_name()[-64:],
        )
        worker.run()
        return True

    def is_reachable(self) -> bool:
        """Return True: the page that asks has read the same database."""
        return True
