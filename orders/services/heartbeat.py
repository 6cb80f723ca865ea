"""Heartbeats show which processes run, so that a process that ended or hangs is noticed.

Each loop of a worker calls `record_heartbeat` in each turn, a web process when it is probed.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from datetime import datetime, timedelta

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
    last = last_worker_heartbeat()
    return last is not None and now - last < SILENT_AFTER


def delete_old_heartbeats(*, now: datetime) -> None:
    """Delete the heartbeats of processes that ended a day ago."""
    Heartbeat.objects.filter(beat_at__lt=now - _FORGOTTEN_AFTER).delete()
