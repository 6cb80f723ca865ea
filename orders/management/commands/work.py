"""`manage.py work`: the worker process for all background work. Any number of them may run.

Each loop has a thread with its own database connection, and makes blocking calls: settling never
waits for a sync or a job. All state is in the database. A loop queries the rows that are due and
claims them by conditional UPDATEs or a lease, so that two workers never process the same row, and
any worker continues after a kill at any moment.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseFailure
from django.db import close_old_connections, connections
from django.utils import timezone

from orders import bulk, index, services, sync
from orders.bulk.selections import delete_expired_selections
from orders.services import cleanup, health

log = logging.getLogger("orders.work")

# How long a tick of the cleanup may fold stored orders again, seconds.
_REFOLD_SECONDS = 0.2

# The interval of the clean-up of old rows, in seconds.
_TIDY_EVERY = 3600.0

type Loop = Callable[[threading.Event], None]


class Command(BaseCommand):
    help = "Settle unknown outcomes, run jobs, keep the index current, delete old data."
    # They import all views, which takes a quarter of the start; `manage.py check` runs them.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sync.tune_garbage_collector()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        log.info("worker started")
        with ThreadPoolExecutor(len(LOOPS)) as threads:
            loops = [threads.submit(_run, loop, stop) for loop in LOOPS]
            wait(loops, return_when=FIRST_EXCEPTION)
            # If a bug ended one loop, the worker ends, so that its service manager restarts it.
            stop.set()
        for loop in loops:
            loop.result()
        log.info("worker stopped")


def _run(loop: Loop, stop: threading.Event) -> None:
    try:
        loop(stop)
    finally:
        connections.close_all()


def settle_loop(stop: threading.Event) -> None:
    """Resolve writes whose outcome is unknown, and expire leases."""
    evidence = services.ReadEvidence()
    # The clock may have been set since the last worker ended.
    _guard("restart_schedule", lambda: services.restart_read_schedule(now=timezone.now()))
    while not stop.wait(settings.WORKER_TICK):
        _beat(health.SETTLING)
        settle_due(stop, evidence)


def sync_loop(stop: threading.Event) -> None:
    """Keep the index current; SYNC_INTERVAL=0 disables it."""
    if not settings.SYNC_INTERVAL:
        return
    run = sync.SyncRun(stop=stop)
    while not stop.wait(settings.WORKER_TICK):
        close_old_connections()
        _guard("sync", run.run)


def jobs_loop(stop: threading.Event) -> None:
    """Run jobs in slices of a few seconds, each woken up by a task."""
    ran = False
    while not stop.wait(0 if ran else settings.WORKER_TICK):
        _beat("jobs")
        ran = bool(_guard("jobs", lambda: bulk.run_due_jobs(stop=stop)))


def cleanup_loop(stop: threading.Event) -> None:
    """Delete what has expired, and fold stored texts again after a change of folding."""
    tidied_at = -_TIDY_EVERY
    while not stop.wait(settings.WORKER_TICK):
        _beat("cleanup")
        clean_up()
        if time.monotonic() - tidied_at > _TIDY_EVERY:
            _guard("tidy", lambda: cleanup.clean_up_database(now=timezone.now()))
            tidied_at = time.monotonic()


# Each runs in a thread of its own until the event is set.
LOOPS: tuple[Loop, ...] = (settle_loop, sync_loop, jobs_loop, cleanup_loop)


def clean_up() -> None:
    close_old_connections()
    _guard("findings", lambda: services.delete_expired_findings(now=timezone.now()))
    _guard("selections", lambda: delete_expired_selections(now=timezone.now()))
    _guard("refold", lambda: index.refold_orders(seconds=_REFOLD_SECONDS))


def settle_due(stop: threading.Event, evidence: services.ReadEvidence) -> None:
    """Settle the operations that are due. A failure of the database is left to the next turn."""
    close_old_connections()
    if evidence.was_clock_set():
        log.warning("the clock was set; the reads of operations are scheduled anew")
        _guard("restart_schedule", lambda: _restart_schedule(evidence))
        if evidence.was_clock_set():
            return
    _guard("effect windows", lambda: services.end_effect_windows(evidence=evidence))
    _guard("abandon_expired", lambda: services.abandon_expired_operations(now=timezone.now()))
    for operation_id in (
        _guard("due", lambda: services.operations_due_for_reading(now=timezone.now())) or ()
    ):
        if stop.is_set():
            return
        _beat(health.SETTLING)
        _guard(f"operation {operation_id}", partial(_settle, operation_id, evidence))


def _restart_schedule(evidence: services.ReadEvidence) -> None:
    services.restart_read_schedule(now=timezone.now(), clock_was_set=True)
    evidence.accept_clock()


def _settle(operation_id: UUID, evidence: services.ReadEvidence) -> None:
    services.settle_operation(operation_id=operation_id, now=timezone.now(), evidence=evidence)


def _beat(role: str) -> None:
    close_old_connections()
    _guard("heartbeat", lambda: health.record_heartbeat(role, now=timezone.now()))


def _guard[T](what: str, step: Callable[[], T]) -> T | None:
    """Run one step and log its failure, so that the next steps are run as well."""
    try:
        return step()
    except DatabaseFailure as error:
        log.warning("%s: the database does not answer: %s", what, type(error).__name__)
    except Exception:
        log.exception("%s failed", what)
    return None
