"""Checks whether this process can serve: the database is migrated, writable, and has free disk."""

from __future__ import annotations

import functools
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from . import heartbeat


def readiness_problem(*, now: datetime, needs_worker: bool) -> str:
    """Return a short reason why the process is not ready; "" if it is ready."""
    try:
        if _missing_migrations():
            return "migrations are missing"
        if _is_disk_full():
            return "the disk is nearly full"
        heartbeat.record_heartbeat(heartbeat.WEB, now=now)
        if needs_worker and not heartbeat.is_worker_alive(now=now):
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
