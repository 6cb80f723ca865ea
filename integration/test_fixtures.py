"""The fixtures: both databases, flushing under append-only triggers, live processes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import Error, connection, transaction
from django.utils import timezone

from orders.models import AuditEntry
from orders.rights import Role
from testing.postgres import Server
from testing.processes import LiveApp, wait_for
from testing.vendor import Emulator

ROLES = {str(role) for role in Role}


def note_something() -> AuditEntry:
    return AuditEntry.objects.create(at=timezone.now(), actor_name="somebody", action="test")


@pytest.mark.django_db
def test_each_test_runs_on_both_databases(database_kind: str) -> None:
    assert connection.vendor == database_kind


@pytest.mark.sqlite_only(reason="an in-memory database has no log and other locks")
@pytest.mark.django_db
def test_sqlite_is_a_file_with_the_options_of_production() -> None:
    with connection.cursor() as cursor:
        modes = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "recursive_triggers")
        }
    assert modes == {"journal_mode": "wal", "synchronous": 2, "recursive_triggers": 1}
    assert not connection.is_in_memory_db()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_clean_up_keeps_groups_and_triggers(turn: int) -> None:
    """The second run finds empty tables, with groups and triggers intact."""
    assert AuditEntry.objects.count() == 0
    assert set(Group.objects.values_list("name", flat=True)) == ROLES
    note_something()
    for change in (AuditEntry.objects.all().delete, lambda: AuditEntry.objects.update(note="x")):
        with pytest.raises(Error), transaction.atomic():
            change()
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_other_threads_see_the_same_database(database_kind: str) -> None:
    User.objects.create(username="somebody")
    seen: list[tuple[str, int]] = []

    def look() -> None:
        seen.append((connection.vendor, User.objects.count()))
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(database_kind, 1)]


@pytest.mark.parametrize("turn", [1, 2])
def test_database_url_is_a_fresh_database_each_time(database_url: str, turn: int) -> None:
    assert database_url.partition(":")[0] in ("sqlite", "postgres")
    assert User.objects.count() == 0
    assert set(Group.objects.values_list("name", flat=True)) == ROLES
    User.objects.create(username="somebody")


def test_postgres_server_stops_and_starts_on_its_port(postgres_server: Server) -> None:
    port = postgres_server.port
    postgres_server.stop()
    postgres_server.start()
    assert postgres_server.port == port


def test_live_app_serves_people_and_is_over_afterwards(
    live_app: Callable[..., LiveApp], emulator: Emulator
) -> None:
    app = live_app(webs=2, workers=1)
    agent = app.log_in("agent")
    other = agent.copy(app.webs[1].url)

    assert agent.get("/orders/").status_code == 200
    assert other.get("/orders/").status_code == 200
    assert emulator.calls()["total"] >= 2
    assert wait_for(app.workers[0].output, what="the worker to say that it began")

    app.end()

    processes = [*app.webs, *app.workers]
    assert [process.pid for process in processes if process.is_running()] == []
