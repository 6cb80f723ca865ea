"""Reads the state of the running system for the system page and the setup page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Count

from orders.audit import Action
from orders.models import Anomaly, ApiLimits, AuditEntry, Heartbeat, Operation
from orders.rights import Role

from . import health
from .key_check import KEY_WORKS

# Anomalies, security events and processes that are read at most.
MAX_ROWS = 50
_THREADS_PER_PROCESS = 4
_MAX_ADMINS = 5
# A running worker starts due reads within seconds.
_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """The state of the system. Times are aware UTC.

    `last_key_check` is None if no admin has checked the key, `last_heartbeat` if no worker was
    heard of within a day. `open_operations` has their number by state, `overdue` the number of
    operations that a running worker would have dealt with.
    """

    limits: ApiLimits
    last_key_check: AuditEntry | None
    open_operations: Sequence[tuple[str, int]]
    overdue: int
    last_heartbeat: datetime | None
    is_worker_alive: bool
    heartbeats: Sequence[Heartbeat]
    anomalies: Sequence[Anomaly]
    security_events: Sequence[AuditEntry]


def read_system_status(*, now: datetime) -> SystemStatus:
    operations = Operation.objects
    by_state = operations.open().order_by("state").values_list("state").annotate(Count("id"))
    last_heartbeat = health.last_worker_heartbeat()
    return SystemStatus(
        limits=ApiLimits.objects.current(),
        last_key_check=_last_key_check(),
        open_operations=list(by_state),
        overdue=operations.due_for_reading(now - _LATE).count()
        + operations.lease_expired(now - _LATE).count(),
        last_heartbeat=last_heartbeat,
        is_worker_alive=health.is_recent(last_heartbeat, now=now),
        heartbeats=list(Heartbeat.objects.order_by("-beat_at")[: MAX_ROWS * _THREADS_PER_PROCESS]),
        anomalies=list(Anomaly.objects.all()[:MAX_ROWS]),
        security_events=list(AuditEntry.objects.filter(action__startswith="security.")[:MAX_ROWS]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStatus:
    """The state of the requirements. `was_key_accepted`: by the latest check of an admin."""

    limits: ApiLimits
    was_key_accepted: bool
    is_worker_alive: bool


def read_setup_status(*, now: datetime) -> SetupStatus:
    check = _last_key_check()
    return SetupStatus(
        limits=ApiLimits.objects.current(),
        was_key_accepted=check is not None and check.detail == KEY_WORKS,
        is_worker_alive=health.is_worker_alive(now=now),
    )


def _last_key_check() -> AuditEntry | None:
    return AuditEntry.objects.filter(action=Action.KEY_CHECK).first()


def active_admins() -> list[User]:
    """Return the first active admins by user name."""
    found: Any = get_user_model().objects.filter(groups__name=Role.ADMIN, is_active=True)
    return list(found.order_by("username")[:_MAX_ADMINS])
