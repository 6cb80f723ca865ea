"""`manage.py work`: the loop behind the pages. As many may run as wanted.

It asks our own rows what is due and calls the services; every claim is a conditional UPDATE, so
that two workers never do the same. It holds no state: killed at any moment, the next tick of any
worker goes on.
"""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from orders import services

log = logging.getLogger("orders.work")


class Command(BaseCommand):
    help = "Settle what is due: leases that ran out, outcomes to read again."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        log.info("worker started")
        while not stop.wait(settings.WORKER_TICK):
            tick(stop)
        log.info("worker stopped")


def tick(stop: threading.Event) -> None:
    """One look at what is due. A database that is down is waited for, not died of."""
    close_old_connections()
    try:
        _abandon_expired()
        for operation_id in services.due_operations(now=timezone.now()):
            if stop.is_set():
                return
            _settle(operation_id)
    except DatabaseError as error:
        log.warning("the database does not answer: %s", type(error).__name__)


def _abandon_expired() -> None:
    try:
        services.abandon_expired(now=timezone.now())
    except DatabaseError:
        raise
    except Exception:
        log.exception("what was left lying could not be taken back")


def _settle(operation_id: Any) -> None:
    try:
        services.settle_operation(operation_id=operation_id, now=timezone.now())
    except DatabaseError:
        raise
    except Exception:
        # A bug on one operation must not keep the others waiting for ever.
        log.exception("operation %s could not be settled", operation_id)
