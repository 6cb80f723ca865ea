"""Both databases in one test run: switches the default connection, and creates fresh databases.

Each kind ("sqlite", "postgresql") has one migrated template, which all processes of a test run
share; every database is a copy of it. The fixtures are in the root conftest.py.
"""

from __future__ import annotations

import fcntl
import os
import runpy
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections
from django.test import TransactionTestCase
from psycopg import sql

from orders import triggers
from orders.rights import create_groups
from testing import postgres

KINDS = ("sqlite", "postgresql")
TOP = Path(__file__).resolve().parent.parent
_TEMPLATE = "template_migrated"


class Databases:
    """The databases that one process of a test run uses."""

    def __init__(self, *, shared: Path, own: Path, owner: int) -> None:
        """`shared` and `own` are folders of the run and the process; `owner` is the run's pid."""
        self._shared = shared
        self._own = own
        self._owner = owner
        self._templates: dict[str, str] = {}
        self._used: dict[str, str] = {}

    def use(self, kind: str) -> None:
        """Make Django's default connection this process's database of that kind."""
        if kind not in self._used:
            self._used[kind] = self.copy(kind)
        use_database(self._used[kind])

    def copy(self, kind: str) -> str:
        """Create a migrated database that only has the groups; return its DATABASE_URL."""
        template = self._template(kind)
        name = f"test_{uuid.uuid4().hex[:12]}"
        if kind == "postgresql":
            self._create(name, template=_TEMPLATE)
            return f"{template.rpartition('/')[0]}/{name}"
        path = self._own / f"{name}.sqlite3"
        shutil.copyfile(template.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """Drop the database and close its remaining connections."""
        if url.startswith("postgres"):
            self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", url.rpartition("/")[2])
        else:
            path = Path(url.removeprefix("sqlite:///"))
            for leftover in path.parent.glob(f"{path.name}*"):
                leftover.unlink()

    def _template(self, kind: str) -> str:
        """Return the template of this kind, created if needed. Raises postgres.PostgresMissing."""
        if kind not in self._templates:
            make = self._postgresql_template if kind == "postgresql" else self._sqlite_template
            with _locked(self._shared / f"{kind}.lock"):
                self._templates[kind] = make()
        return self._templates[kind]

    def _sqlite_template(self) -> str:
        path = self._shared / f"{_TEMPLATE}.sqlite3"
        if not path.exists():
            unfinished = path.with_suffix(".new")
            _migrate(f"sqlite:///{unfinished}")
            unfinished.replace(path)
        return f"sqlite:///{path}"

    def _postgresql_template(self) -> str:
        port = self._shared / "postgresql.port"
        if not port.exists():
            self._start_server(port)
        url = f"postgres://postgres@127.0.0.1:{port.read_text()}/{_TEMPLATE}"
        self._templates["postgresql"] = url
        migrated = self._shared / "postgresql.migrated"
        if not migrated.exists():
            self._create(_TEMPLATE, template="template0")
            _migrate(url)
            migrated.touch()
        return url

    def _start_server(self, port: Path) -> None:
        postgres.binaries()
        command = [sys.executable, "-m", "testing.postgres", "--serve", str(port)]
        server = subprocess.Popen(
            [*command, "--for", str(self._owner)], cwd=TOP, start_new_session=True
        )
        port.with_suffix(".pid").write_text(str(server.pid))
        until = time.monotonic() + 60
        while not port.exists():
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the tests' PostgreSQL did not start")
            time.sleep(0.02)

    def _create(self, name: str, *, template: str) -> None:
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, template)

    def _administer(self, statement: str, *names: str) -> None:
        server = self._templates["postgresql"].rpartition("/")[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as administrator:
            administrator.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(url: str) -> None:
    use_database(url)
    call_command("migrate", interactive=False, verbosity=0)
    if connection.vendor == "sqlite":
        # Without a WAL file the database can be copied as one file.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections.close_all()


def use_database(url: str) -> None:
    """Make `url` the default database of this process, in every thread from now on."""
    connections.close_all()
    connections.settings["default"] = configuration(url)
    with suppress(AttributeError):
        # A thread that never used the connection has none.
        del connections["default"]
    # The ids of content types differ between databases.
    ContentType.objects.clear_cache()


def configuration(url: str) -> dict[str, Any]:
    """Return the DATABASES entry that goodyadmin/settings.py builds from a DATABASE_URL."""
    before = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = url
    try:
        made = runpy.run_path(str(TOP / "goodyadmin" / "settings.py"))["DATABASES"]
    finally:
        os.environ["DATABASE_URL"] = before
    configured: dict[str, Any] = connections.configure_settings(made)["default"]
    return configured


def flush_around_triggers() -> None:
    """Flush after tests with transaction=True, although the audit is append-only.

    The flush drops the triggers, creates them again, and recreates the groups of the migration.
    """
    case_class: Any = TransactionTestCase
    original: Callable[[TransactionTestCase], None] = case_class._fixture_teardown

    def flush(case: TransactionTestCase) -> None:
        triggers.drop_triggers(connection)
        try:
            original(case)
        finally:
            triggers.create_triggers(connection)
        create_groups()

    case_class._fixture_teardown = flush


def clean_up_run(shared: Path) -> None:
    """Stop the run's PostgreSQL and remove the shared folder."""
    pid = shared / "postgresql.pid"
    if pid.exists():
        postgres.stop_serving(int(pid.read_text()))
    shutil.rmtree(shared, ignore_errors=True)
