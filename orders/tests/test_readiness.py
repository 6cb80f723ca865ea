"""/healthz, /readyz, heartbeats, and the worker's cleanup."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from orders.models import Heartbeat, OrderAccess, SignInLimit
from orders.services import cleanup, health
from testing.users import make_user

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _no_beat_so_far():
    health._stored.clear()


def ready(query: str = "") -> tuple[int, str]:
    answer = Client().get(f"/readyz{query}")
    return answer.status_code, answer.content.decode()


def test_a_migrated_database_is_ready_and_the_process_is_heard_of():
    assert ready() == (200, "ok\n")
    beat = Heartbeat.objects.get()
    assert (beat.worker, beat.role) == (health.process_name(), "web")


def test_a_database_without_the_newest_migration_is_not_ready():
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id ="
            " (SELECT max(id) FROM django_migrations WHERE app = 'orders')"
        )
    assert ready() == (503, "migrations are missing\n")


@pytest.mark.sqlite_only(reason="the disk of a PostgreSQL server is not ours to look at")
def test_a_disk_that_is_nearly_full_is_not_ready(settings):
    settings.MIN_FREE_DISK = 10**18
    assert ready() == (503, "the disk is nearly full\n")


def test_a_database_that_takes_no_writes_is_not_ready():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_heartbeat RENAME TO elsewhere")
    assert ready() == (503, "the database cannot be read or written\n")


def test_a_probe_may_ask_for_a_worker():
    silent = (503, "no worker was heard of within a minute\n")
    assert ready("?worker=1") == silent
    now = timezone.now()
    health.record_heartbeat("settling", now=now - timedelta(seconds=61), is_forced=True)
    assert ready("?worker=1") == silent
    health.record_heartbeat("settling", now=now, is_forced=True)
    assert ready("?worker=1") == (200, "ok\n")
    assert ready() == (200, "ok\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[fe80::1]", "any.example"])
def test_a_probe_by_an_address_is_answered(path, host):
    assert Client().get(path, HTTP_HOST=host).status_code == 200


def test_another_host_is_a_quiet_400(caplog):
    caplog.set_level(logging.INFO)
    answer = Client().get("/login/", HTTP_HOST="elsewhere.example")
    assert answer.status_code == 400
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_heartbeat_is_stored_every_few_seconds():
    health.record_heartbeat("settling", now=NOW)
    health.record_heartbeat("settling", now=NOW + timedelta(seconds=1))
    assert Heartbeat.objects.get().beat_at == NOW
    health.record_heartbeat("settling", now=NOW + timedelta(seconds=2), is_forced=True)
    assert Heartbeat.objects.get().beat_at == NOW + timedelta(seconds=2)


def test_old_rows_are_deleted(settings):
    settings.ORDER_ACCESS_DAYS = 30
    old = NOW - timedelta(days=31)
    user = make_user("agent")
    for at in (old, NOW):
        Session.objects.create(session_key=str(at)[:32], session_data="", expire_date=at)
        SignInLimit.objects.create(key=str(at), last_at=at, blocked_until=at)
        Heartbeat.objects.create(worker=str(at), role="web", started_at=at, beat_at=at)
        OrderAccess.objects.create(at=at, actor=user, kind="order", order_uuid=uuid4())
    cleanup.clean_up_database(now=NOW - timedelta(seconds=1))
    kept = [
        Session.objects.values_list("expire_date", flat=True),
        SignInLimit.objects.values_list("last_at", flat=True),
        Heartbeat.objects.values_list("beat_at", flat=True),
        OrderAccess.objects.values_list("at", flat=True),
    ]
    assert [list(each) for each in kept] == [[NOW]] * 4


@pytest.mark.sqlite_only(reason="PostgreSQL looks after its log itself")
@pytest.mark.django_db(transaction=True)
def test_a_large_log_of_sqlite_is_cut():
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    make_user("agent")
    assert log.stat().st_size > 0
    cleanup.truncate_write_ahead_log(larger_than=10**9)
    assert log.stat().st_size > 0
    cleanup.truncate_write_ahead_log(larger_than=0)
    assert log.stat().st_size == 0
