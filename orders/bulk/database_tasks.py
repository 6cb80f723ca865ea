"""The queue of tasks in the database (django-tasks-db), which needs no other service."""

from __future__ import annotations

from django_tasks_db.backend import DatabaseBackend
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from orders.services.heartbeat import process_name


class DatabaseTasks(DatabaseBackend):
    """Tasks are rows. A process that dies leaves its task running, and nothing waits for it."""

    def run_next_task(self) -> bool:
        """Run one task in this thread, if there is one; return whether there was.

        Looking first takes no write lock on SQLite.
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
