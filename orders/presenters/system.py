"""The system page: connection, sync, open operations, anomalies and security events.

It shows no secrets.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import django
from django.conf import settings
from django.db import connection

from orders import formats
from orders.models import Anomaly, ApiLimits, AuditEntry, Heartbeat
from orders.services.health import SILENT_AFTER
from orders.services.system_status import SystemStatus
from orders.sync import SyncPhase, SyncProgress

from .elements import Banner

_KINDS = dict(Anomaly.Kind.choices)


@dataclass(frozen=True, slots=True)
class AnomalyRow:
    kind: str
    key: str
    detail: str
    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    at: str
    kind: str
    detail: str
    request_id: str


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process and its heartbeat. `roles` are those of its threads: "cleanup, settling"."""

    process: str
    roles: str
    started: str
    last: str
    is_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPage:
    environment: str
    host: str
    limits: Banner
    last_check: str
    open_operations: list[tuple[str, int]]
    worker: Banner
    queue: Banner | None
    processes: list[ProcessRow]
    anomalies: list[AnomalyRow]
    events: list[SecurityEvent]
    versions: list[tuple[str, str]]


def make_system_page(
    status: SystemStatus, *, is_queue_reachable: bool, zone: ZoneInfo, now: datetime
) -> SystemPage:
    return SystemPage(
        environment=settings.GOODY_ENVIRONMENT,
        host=urlsplit(settings.GOODY_API_URL).netloc.rpartition("@")[2] or "not set",
        limits=_limits(status.limits, zone=zone, now=now),
        last_check=_last_check(status.last_key_check, zone),
        open_operations=[
            (state.replace("_", " "), count) for state, count in status.open_operations
        ],
        worker=_worker(status, zone),
        queue=None if is_queue_reachable else _NO_QUEUE,
        processes=_processes(status.heartbeats, zone, now=now),
        anomalies=[_anomaly_row(one, zone) for one in status.anomalies],
        events=[_security_event(one, zone) for one in status.security_events],
        versions=_versions(),
    )


def _limits(limits: ApiLimits, *, zone: ZoneInfo, now: datetime) -> Banner:
    if limits.is_key_rejected(settings.GOODY_API_KEY):
        since = formats.date_time(limits.rejected_at, zone)
        return Banner(
            tone="bad",
            title=f"API key rejected since {since}",
            sentence="Goody answered 401. Nothing is asked with this key until it works again.",
        )
    if limits.is_paused(now):
        until = formats.date_time(limits.paused_until, zone)
        return Banner(tone="warn", title=f"Goody asks us to wait until {until}")
    return Banner(tone="good", title="Calls are allowed")


def _last_check(entry: AuditEntry | None, zone: ZoneInfo) -> str:
    if entry is None:
        return "never"
    return f"{formats.date_time(entry.at, zone)} by {entry.actor_name}: {entry.detail}"


def _worker(status: SystemStatus, zone: ZoneInfo) -> Banner:
    """Return a banner on whether a worker runs, by its heartbeat, and whether work is overdue."""
    if not status.is_worker_alive:
        last = status.last_heartbeat
        since = f" since {formats.date_time(last, zone)}" if last else ""
        return Banner(
            tone="bad",
            title=f"No worker has been heard of{since}",
            sentence="Start “manage.py work”; it finds out what became of open changes.",
        )
    if status.overdue:
        return Banner(
            tone="bad",
            title=f"{status.overdue} overdue: the worker seems not to run",
            sentence="Start “manage.py work”; it finds out what became of open changes.",
        )
    return Banner(tone="good", title="Nothing is overdue")


_NO_QUEUE = Banner(
    tone="warn",
    title="The queue of jobs does not answer",
    sentence="No server answers at TASKS_URL. Jobs go on without it, more slowly.",
    next_step="Start Redis or Valkey, or correct TASKS_URL and restart all processes.",
)


def _processes(
    heartbeats: Iterable[Heartbeat], zone: ZoneInfo, *, now: datetime
) -> list[ProcessRow]:
    """Return one row for each process, the latest heartbeat first.

    The heartbeat of a process is that of its quietest thread.
    """
    threads: dict[str, list[Heartbeat]] = {}
    for beat in heartbeats:
        threads.setdefault(beat.worker, []).append(beat)
    return [_process_row(name, found, zone, now) for name, found in threads.items()]


def _process_row(
    name: str, threads: Sequence[Heartbeat], zone: ZoneInfo, now: datetime
) -> ProcessRow:
    quietest = min(one.beat_at for one in threads)
    return ProcessRow(
        process=name,
        roles=", ".join(sorted(one.role for one in threads)),
        started=formats.date_time(min(one.started_at for one in threads), zone),
        last=formats.relative_time(quietest, now),
        is_silent=now - quietest > SILENT_AFTER,
    )


def _anomaly_row(anomaly: Anomaly, zone: ZoneInfo) -> AnomalyRow:
    return AnomalyRow(
        kind=_KINDS.get(anomaly.kind, anomaly.kind),
        key=anomaly.key,
        detail=anomaly.detail,
        count=anomaly.count,
        first=formats.date_time(anomaly.first_seen_at, zone),
        last=formats.date_time(anomaly.last_seen_at, zone),
    )


def _security_event(entry: AuditEntry, zone: ZoneInfo) -> SecurityEvent:
    return SecurityEvent(
        at=formats.date_time(entry.at, zone),
        kind=entry.action.removeprefix("security."),
        detail=entry.detail,
        request_id=entry.request_id,
    )


def _versions() -> list[tuple[str, str]]:
    database = ".".join(str(part) for part in connection.get_database_version())
    return [
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        (connection.display_name, database),
    ]


# --- sync -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSection:
    """The state of the sync. `is_stopped`: the sync waits until an admin resumes it."""

    banner: Banner
    attributes: list[tuple[str, str]]
    is_stopped: bool


def make_sync_section(progress: SyncProgress, *, zone: ZoneInfo) -> SyncSection:
    return SyncSection(
        banner=_sync_banner(progress, zone),
        attributes=list(_sync_attributes(progress, zone)),
        is_stopped=progress.phase is SyncPhase.SUSPICIOUS,
    )


def _sync_banner(progress: SyncProgress, zone: ZoneInfo) -> Banner:
    match progress.phase:
        case SyncPhase.SUSPICIOUS:
            return Banner(
                tone="bad",
                title="Stopped: this looks wrong",
                sentence=f"{progress.problem} Is this the right account? Nothing was deleted.",
            )
        case SyncPhase.PAUSED:
            until = formats.date_time(progress.paused_until, zone) if progress.paused_until else ""
            return Banner(
                tone="warn", title=f"{progress.problem}{f' until {until}' if until else ''}"
            )
        case SyncPhase.FAILING:
            since = formats.date_time(progress.failing_since, zone)
            return Banner(
                tone="warn", title=f"Failing since {since}", sentence=f"{progress.problem}."
            )
        case SyncPhase.NEVER_BEGUN:
            return Banner(tone="warn", title="Not begun yet: the worker begins by itself")
        case SyncPhase.RUNNING:
            return Banner(tone="info", title="Reading every order")
        case SyncPhase.COMPLETE:
            return Banner(tone="good", title="Complete")


def _sync_attributes(progress: SyncProgress, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if progress.started_at:
        of = f" of {progress.total:,}" if progress.total is not None else ""
        yield "Imported", f"{progress.imported:,}{of}"
        yield "Begun", formats.date_time(progress.started_at, zone)
    if progress.finished_at:
        yield "Complete since", formats.date_time(progress.finished_at, zone)
    if progress.synced_at:
        yield "Up to date as of", formats.date_time(progress.synced_at, zone)
    yield (
        "Changes from",
        "the activity feed" if progress.has_feed else "the newest orders (no feed)",
    )
    if progress.reconciled_at:
        yield "Compared with Goody’s counts", formats.date_time(progress.reconciled_at, zone)
        yield "Found then", _drift(progress)


def _drift(progress: SyncProgress) -> str:
    counts = (
        (progress.drift_new, "not known here"),
        (progress.drift_changed, "out of date"),
        (progress.drift_missing, "not listed any more"),
    )
    parts = [f"{count:,} {words}" for count, words in counts if count]
    return ", ".join(parts) or "no difference"
