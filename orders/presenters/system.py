"""The system page: the connection to Goody, what waits, what was odd. No secrets."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import django
from django.conf import settings
from django.db import connection
from django.db.models import Count

from orders import formats
from orders.models import Anomaly, ApiLimits, AuditEntry, Operation

from .marks import Banner

ROWS = 50
# Reads of unknown outcomes are taken up within seconds while a worker runs.
_LATE = timedelta(minutes=1)
_KINDS = dict(Anomaly.Kind.choices)


@dataclass(frozen=True, slots=True)
class OddThing:
    kind: str
    key: str
    detail: str
    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Event:
    at: str
    kind: str
    detail: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    environment: str
    host: str
    limits: Banner
    last_check: str
    open_operations: list[tuple[str, int]]
    worker: Banner
    anomalies: list[OddThing]
    events: list[Event]
    versions: list[tuple[str, str]]


def make_system(*, zone: ZoneInfo, now: datetime) -> System:
    return System(
        environment=settings.GOODY_ENVIRONMENT,
        host=urlsplit(settings.GOODY_API_URL).netloc.rpartition("@")[2] or "not set",
        limits=_limits(ApiLimits.objects.current(), zone=zone, now=now),
        last_check=_last_check(zone),
        open_operations=_open_operations(),
        worker=_worker(now=now),
        anomalies=_anomalies(zone),
        events=_events(zone),
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
    return Banner(tone="good", title="Open: calls to Goody are made")


def _last_check(zone: ZoneInfo) -> str:
    entry = AuditEntry.objects.filter(action="system.key_check").first()
    if entry is None:
        return "never"
    return f"{formats.date_time(entry.at, zone)} by {entry.actor_name}: {entry.detail}"


def _open_operations() -> list[tuple[str, int]]:
    counts = Operation.objects.open().order_by("state").values_list("state").annotate(Count("id"))
    return [(str(state).replace("_", " "), count) for state, count in counts]


def _worker(*, now: datetime) -> Banner:
    """A worker leaves no trace while nothing is due, so only its absence can be told."""
    late = (
        Operation.objects.due_for_reading(now - _LATE).count()
        + Operation.objects.lease_expired(now - _LATE).count()
    )
    if late:
        return Banner(
            tone="bad",
            title=f"{late} overdue: the worker seems not to run",
            sentence="Start “manage.py work”; it finds out what became of open changes.",
        )
    return Banner(tone="good", title="Nothing is overdue for the worker")


def _anomalies(zone: ZoneInfo) -> list[OddThing]:
    found: Iterable[Anomaly] = Anomaly.objects.all()[:ROWS]
    return [
        OddThing(
            kind=_KINDS.get(one.kind, one.kind),
            key=one.key,
            detail=one.detail,
            count=one.count,
            first=formats.date_time(one.first_seen_at, zone),
            last=formats.date_time(one.last_seen_at, zone),
        )
        for one in found
    ]


def _events(zone: ZoneInfo) -> list[Event]:
    found = AuditEntry.objects.filter(action__startswith="security.")[:ROWS]
    return [
        Event(
            at=formats.date_time(one.at, zone),
            kind=one.action.removeprefix("security."),
            detail=one.detail,
            request_id=one.request_id,
        )
        for one in found
    ]


def _versions() -> list[tuple[str, str]]:
    database = ".".join(str(part) for part in connection.get_database_version())
    return [
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        (connection.display_name, database),
    ]
