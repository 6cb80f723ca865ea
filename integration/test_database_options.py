"""DATABASE_URL's options, timeouts of migrations, roles on PostgreSQL, the SQLite file's mode."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import AuditEntry
from testing.databases import configuration
from testing.processes import LiveApp, Process
from testing.vendor import Emulator
from testing.walkthroughs import cancel_form

POSTGRES = "postgres://somebody@db.example/name"
TIMEOUTS = "-c lock_timeout=3s -c statement_timeout=5s"


def test_options_of_the_url_are_kept_beside_ours() -> None:
    made = configuration(f"{POSTGRES}?sslmode=verify-full&options=-c%20work_mem=8MB")
    assert made["OPTIONS"] == {
        "connect_timeout": 3,
        "sslmode": "verify-full",
        "options": f"{TIMEOUTS} -c work_mem=8MB",
    }
    assert configuration(POSTGRES)["OPTIONS"] == {"connect_timeout": 3, "options": TIMEOUTS}


def test_a_url_may_set_what_we_set() -> None:
    made = configuration(f"{POSTGRES}?connect_timeout=9&conn_max_age=0")
    assert (made["OPTIONS"]["connect_timeout"], made["CONN_MAX_AGE"]) == (9, 0)
    sqlite = configuration("sqlite:////tmp/a.sqlite3?timeout=20")["OPTIONS"]
    assert (sqlite["timeout"], sqlite["transaction_mode"]) == (20, "IMMEDIATE")


@pytest.mark.postgresql_only(reason="SQLite has no timeout of a statement")
def test_a_migration_may_take_longer_than_a_statement(database_url: str) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_sqlite_file_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "testing.settings",
        "TEST_ENVIRONMENT": json.dumps({"DATABASE_URL": f"sqlite:///{path}"}),
    }
    process = Process(["manage.py", "migrate", "contenttypes", "--verbosity", "0"], env=env)
    assert process.wait() == 0, process.output()
    process.close()
    # SQLite gives its log the same rights.
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- roles -------------------------------------------------------------------------------------


@pytest.fixture
def runtime_url(database_url: str) -> str:
    """The URL of the same database for the runtime role, which owns no table."""
    role = f"runtime_{urlsplit(database_url).path[-8:]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN")
    call_command("grant_runtime_role", role, verbosity=0)
    return database_url.replace("//postgres@", f"//{role}@")


@pytest.mark.postgresql_only(reason="SQLite has no roles")
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER audit_no_change ON orders_auditentry",
        "ALTER TABLE orders_auditentry DISABLE TRIGGER ALL",
        "UPDATE orders_auditentry SET detail = 'forged'",
        "DELETE FROM orders_auditentry",
        "TRUNCATE orders_auditentry",
        "DROP TABLE orders_auditentry",
        "DELETE FROM django_migrations",
        "SET session_replication_role = replica",
    ],
)
def test_the_runtime_role_cannot_touch_the_audit(runtime_url: str, statement: str) -> None:
    with psycopg.connect(runtime_url) as other, pytest.raises(psycopg.errors.InsufficientPrivilege):
        other.execute(statement)


@pytest.mark.postgresql_only(reason="SQLite has no roles")
def test_the_dashboard_runs_as_that_role(
    runtime_url: str, live_app: Callable[..., LiveApp], emulator: Emulator
) -> None:
    app = live_app(workers=1, DATABASE_URL=runtime_url, SYNC_INTERVAL="1")
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    assert cancel_form(agent, order_id).submit(agent).status_code == 303
    assert agent.get("/orders/").status_code == 200
    outcomes = AuditEntry.objects.filter(action="order.cancel").order_by("id")
    assert [one.outcome for one in outcomes] == ["", "applied"]
    assert app.workers[0].is_running()
    assert "permission denied" not in app.workers[0].output() + app.webs[0].output()


def test_the_command_names_what_is_missing(database_url: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("grant_runtime_role", "nobody_there")
    words = {
        "postgresql": "There is no role nobody_there. CREATE ROLE nobody_there LOGIN makes it.",
        "sqlite": "Only PostgreSQL has roles.",
    }
    assert str(refused.value) == words[connection.vendor]
