"""Deletes old rows and truncates SQLite's write-ahead log. The worker calls it once an hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django_tasks_db.models import DBTaskResult

from orders.models import OrderAccess, SignInLimit

from .health import delete_old_heartbeats

# SQLite reuses its log; only one that grew under a long read is cut.
_LARGE_LOG = 16 * 1024 * 1024
_TASKS_KEPT = timedelta(days=1)


def clean_up_database(*, now: datetime) -> None:
    """Delete ended sessions, old limits, heartbeats, accesses and tasks; truncate SQLite's log.

    Safe to repeat, and to run in several workers. Raises DatabaseFailure.
    """
    Session.objects.filter(expire_date__lt=now).delete()
    SignInLimit.objects.delete_old(now=now)
    delete_old_heartbeats(now=now)
    kept_since = now - timedelta(days=settings.ORDER_ACCESS_DAYS)
    OrderAccess.objects.filter(at__lt=kept_since).delete()
    # Also tasks that a killed worker left running, whose jobs have been queued again.
    DBTaskResult.objects.filter(enqueued_at__lt=now - _TASKS_KEPT).delete()
    truncate_write_ahead_log()


def truncate_write_ahead_log(*, larger_than: int = _LARGE_LOG) -> None:
    """Checkpoint and truncate SQLite's write-ahead log if it has over `larger_than` bytes."""
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    if connection.vendor == "sqlite" and log.is_file() and log.stat().st_size > larger_than:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
