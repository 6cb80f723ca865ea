"""Heartbeats of processes, and whether this process can serve.

Heartbeats show which processes run, so that a process that ended or hangs is noticed. Each loop of
a worker calls `record_heartbeat` in each turn, a web process when it is probed. A process is ready
if its database is migrated and writable, with free disk space.
"""

from __future__ import annotations

import functools
import os
import shutil
import socket
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from orders.models import Heartbeat

WEB = "web"
# The loop of a worker without which no outcome is found out.
SETTLING = "settling"
# A worker that was not heard of for so long is taken for dead.
SILENT_AFTER = timedelta(seconds=60)
_STORED_EVERY = 5.0
_FORGOTTEN_AFTER = timedelta(days=1)

_stored: dict[str, float] = {}
_lock = threading.Lock()


def process_name() -> str:
    """Return the host name and the process id."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}"


def record_heartbeat(role: str, *, now: datetime, is_forced: bool = False) -> None:
    """Store the present time as the heartbeat of this process in `role`.

    Calls within five seconds of the last one do nothing, unless `is_forced`.

    Raises DatabaseFailure.
    """
    with _lock:
        if not is_forced and time.monotonic() - _stored.get(role, -_STORED_EVERY) < _STORED_EVERY:
            return
        _stored[role] = time.monotonic()
    worker = process_name()
    if not Heartbeat.objects.filter(worker=worker, role=role).update(beat_at=now):
        Heartbeat.objects.get_or_create(
            worker=worker, role=role, defaults={"started_at": now, "beat_at": now}
        )


def last_worker_heartbeat() -> datetime | None:
    """Return the time of the last worker heartbeat; None if there was none within a day."""
    last = Heartbeat.objects.filter(role=SETTLING).order_by("-beat_at").first()
    return last.beat_at if last else None


def is_worker_alive(*, now: datetime) -> bool:
    """Whether there was a worker heartbeat within a minute."""
    return is_recent(last_worker_heartbeat(), now=now)


def is_recent(heartbeat: datetime | None, *, now: datetime) -> bool:
    """Whether the heartbeat, if there was one, is less than a minute old."""
    return heartbeat is not None and now - heartbeat < SILENT_AFTER


def delete_old_heartbeats(*, now: datetime) -> None:
    """Delete the heartbeats of processes that ended a day ago."""
    Heartbeat.objects.filter(beat_at__lt=now - _FORGOTTEN_AFTER).delete()


def readiness_problem(*, now: datetime, needs_worker: bool) -> str:
    """Return a short reason why the process is not ready; "" if it is ready."""
    try:
        if _missing_migrations():
            return "migrations are missing"
        if _is_disk_full():
            return "the disk is nearly full"
        record_heartbeat(WEB, now=now)
        if needs_worker and not is_worker_alive(now=now):
            return "no worker was heard of within a minute"
    except DatabaseFailure as failure:
        # Whoever writes for long does not make a process useless.
        return "" if "locked" in str(failure) else "the database cannot be read or written"
    return ""


def _missing_migrations() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = {(str(app), str(name)) for app, name in cursor.fetchall()}
    return not _latest_migrations() <= applied


@functools.cache
def _latest_migrations() -> frozenset[tuple[str, str]]:
    """Return (app, name) of the latest migrations.

    They are read once, because the code of a running process does not change.
    """
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _is_disk_full() -> bool:
    """Whether the disk of a SQLite file is full. PostgreSQL refuses the write instead."""
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or not path.is_file():
        return False
    return bool(shutil.disk_usage(path.parent).free < settings.MIN_FREE_DISK)
