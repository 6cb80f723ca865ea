"""`manage.py work`: the loop behind the pages. As many may run as wanted.

It asks our own rows what is due and calls the services; every claim is a conditional UPDATE, so
that two workers never do the same. It holds no state: killed at any moment, the next tick of any
worker goes on.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseFailure
from django.db import close_old_connections
from django.utils import timezone

from orders import index, services, sync

log = logging.getLogger("orders.work")


# Wall clock and monotonic clock may drift apart by this much between two ticks, seconds.
_TOLERANCE = 2.0
# How long a tick may fold stored orders again, seconds.
_REFOLDING = 0.2


class Command(BaseCommand):
    help = (
        "Settle what is due: leases that ran out, outcomes to read again; keep the index; delete "
        "old findings."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sync.collect_garbage_less()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        clock = Clock()
        keeper = sync.Runner(calls_at_once=settings.SYNC_CALLS_AT_ONCE)
        log.info("worker started")
        wait = settings.WORKER_TICK
        while not stop.wait(wait):
            tick(stop, clock)
            wait = keep_index(keeper)
        keeper.close()
        log.info("worker stopped")


class Clock:
    """Notices that the wall clock was set, against the one that nobody sets."""

    def __init__(self) -> None:
        self._wall, self._monotonic = time.time(), time.monotonic()
        self._was_set = False

    def was_set(self) -> bool:
        """Since the start, or since this was dealt with."""
        wall, monotonic = time.time(), time.monotonic()
        jump = (wall - self._wall) - (monotonic - self._monotonic)
        self._wall, self._monotonic = wall, monotonic
        self._was_set = self._was_set or abs(jump) > _TOLERANCE
        return self._was_set

    def dealt_with(self) -> None:
        self._was_set = False


def tick(stop: threading.Event, clock: Clock) -> None:
    """One look at what is due. A database that is down is waited for, not died of."""
    close_old_connections()
    if clock.was_set():
        log.warning("the clock was set; the evidence about lost answers is gathered anew")
        _do("restart_evidence", lambda: _restart_evidence(clock))
        if clock.was_set():
            # With the old evidence nothing may be concluded.
            return
    _do("abandon_expired", lambda: services.abandon_expired(now=timezone.now()))
    _do("delete_expired_findings", lambda: services.delete_expired_findings(now=timezone.now()))
    _do("refold", lambda: index.refold(seconds=_REFOLDING))
    for operation_id in _do("due", lambda: services.due_operations(now=timezone.now())) or ():
        if stop.is_set():
            return
        _do(f"operation {operation_id}", partial(_settle, operation_id))


def keep_index(keeper: sync.Runner) -> float:
    """A slice of the sync, if one is due; returns how long to wait for the next tick."""
    if not settings.SYNC_INTERVAL:
        return float(settings.WORKER_TICK)
    wait = _do("sync", lambda: keeper.run(settings.SYNC_SLICE))
    return float(settings.WORKER_TICK if wait is None else min(wait, settings.WORKER_TICK))


def _restart_evidence(clock: Clock) -> None:
    services.restart_evidence(now=timezone.now())
    clock.dealt_with()


def _settle(operation_id: UUID) -> None:
    services.settle_operation(operation_id=operation_id, now=timezone.now())


def _do[T](what: str, step: Callable[[], T]) -> T | None:
    """One step; whatever goes wrong in it must not keep the next ones waiting for ever."""
    try:
        return step()
    except DatabaseFailure as error:
        log.warning("%s: the database does not answer: %s", what, type(error).__name__)
    except Exception:
        log.exception("%s failed", what)
    return None
