"""The measured databases: filled once and kept in a folder for the next run.

BENCH_DATA names the folder (the system's temporary one by default). A database is identified by
its dataset, its number of orders and a hash of the code that fills it. It is filled again
after three days, since more and more of its expirations are past.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg

from bench import report
from bench.serving import process_environment, run_command
from testing.postgres import PostgresMissing, Server
from testing.serving import TOP

DATABASE_FOLDER = Path(
    os.environ.get("BENCH_DATA") or Path(tempfile.gettempdir()) / "goody-admin-bench"
)
ORDERS = int(os.environ.get("ORDERS", "100000"))
# "emulator" or "varied": see fill.py.
DATASET = os.environ.get("DATASET", "emulator")
# The size with which ORDERS is compared.
SMALL_ORDER_COUNT = min(10_000, ORDERS)
_KEPT = 3 * 86_400
_FILL = "bench/fill.py"
_FILLED_BY = (
    *("orders/index", "orders/schema.py", "orders/models/order.py", "orders/models/labels.py"),
    *(
        "orders/text.py",
        "emulator/carts.py",
        "emulator/order_columns.py",
        "emulator/digest_random.py",
    ),
    *("emulator/generator.py", "emulator/lifecycle.py", "emulator/renderer.py"),
    *("emulator/shipments.py", "emulator/sample_texts.py"),
    "bench/varied_orders.py",
    _FILL,
)
_REQUEST_VALUES = "bench/request_values.py"
# Settings of a dedicated server for a database of this size.
_SERVER = {"shared_buffers": "1GB", "effective_cache_size": "4GB", "max_wal_size": "8GB"}


@dataclass(frozen=True, slots=True)
class Database:
    """An index that holds `values["orders"]` orders; `vendor` is sqlite or postgresql."""

    vendor: str
    url: str
    values: dict[str, Any]

    @property
    def env(self) -> dict[str, str]:
        return process_environment(database_url=self.url)

    @property
    def path(self) -> Path:
        """The path of an SQLite file."""
        return Path(self.url.removeprefix("sqlite:///"))


class SqliteDatabases:
    """SQLite files in the folder."""

    vendor = "sqlite"

    def url(self, name: str) -> str:
        return f"sqlite:///{DATABASE_FOLDER / name}.sqlite3"

    def remove(self, name: str) -> None:
        for path in DATABASE_FOLDER.glob(f"{name}.sqlite3*"):
            path.unlink()

    def copy(self, name: str, to: str) -> None:
        self.remove(to)
        for path in DATABASE_FOLDER.glob(f"{name}.sqlite3*"):
            shutil.copy(path, DATABASE_FOLDER / path.name.replace(name, to, 1))


class PostgresqlDatabases:
    """Databases of one cluster in the folder."""

    vendor = "postgresql"

    def __init__(self, server: Server) -> None:
        self._server = server

    def url(self, name: str) -> str:
        return self._server.url(name)

    def remove(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def create(self, name: str) -> None:
        self._execute(f'CREATE DATABASE "{name}"')

    def copy(self, name: str, to: str) -> None:
        self.remove(to)
        # A process that has just ended may still be connected to its database, for a moment.
        self._execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        self._execute(f'CREATE DATABASE "{to}" TEMPLATE "{name}" STRATEGY FILE_COPY')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._server.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


type Databases = SqliteDatabases | PostgresqlDatabases


@contextmanager
def open_databases(vendor: str) -> Iterator[Databases]:
    """Yield the databases of an engine: "sqlite", or "postgresql", whose cluster then runs."""
    DATABASE_FOLDER.mkdir(parents=True, exist_ok=True)
    if vendor == "sqlite":
        yield SqliteDatabases()
        return
    try:
        server = Server(DATABASE_FOLDER / "cluster", settings=_SERVER)
    except PostgresMissing as error:
        raise SystemExit(str(error)) from error
    server.start()
    try:
        yield PostgresqlDatabases(server)
    finally:
        server.stop(is_kept=True)


def filled_database(at: Databases, *, orders: int) -> Database:
    """Return the index of this number of orders, filled now if it does not exist."""
    name = f"{DATASET}-{orders}-{hash_files(*_FILLED_BY)}"
    mark = DATABASE_FOLDER / f"{name}.{at.vendor}"
    url = at.url(name)
    if not mark.exists() or time.time() - mark.stat().st_mtime > _KEPT:
        mark.unlink(missing_ok=True)
        _fill(at, name, url, orders)
        mark.touch()
    run_command(
        ["manage.py", "migrate", "--verbosity", "0"], env=process_environment(database_url=url)
    )
    return Database(at.vendor, url, _request_values(name, at.vendor, url, mark.stat().st_mtime))


def _fill(at: Databases, name: str, url: str, orders: int) -> None:
    report.print_note(f"filling {name} in {at.vendor}, once")
    at.remove(name)
    if isinstance(at, PostgresqlDatabases):
        at.create(name)
    env = {**process_environment(database_url=url), "ORDERS": str(orders), "DATASET": DATASET}
    subprocess.run([sys.executable, "-m", "bench.fill"], cwd=TOP, env=env, check=True)


def _request_values(name: str, vendor: str, url: str, filled_at: float) -> dict[str, Any]:
    path = DATABASE_FOLDER / f"{name}.{vendor}.{hash_files(_REQUEST_VALUES, _FILL)}.json"
    if not path.exists() or path.stat().st_mtime < filled_at:
        found = run_command(
            ["-m", "bench.request_values"], env=process_environment(database_url=url), timeout=600
        )
        path.write_text(found)
    known: dict[str, Any] = json.loads(path.read_text())
    return known


@contextmanager
def temporary_copy(at: Databases, database: Database) -> Iterator[Database]:
    """Yield a copy of the database for writing, and remove it at the end."""
    name = database.url.rpartition("/")[2].removesuffix(".sqlite3")
    at.copy(name, "copy")
    try:
        yield Database(at.vendor, at.url("copy"), database.values)
    finally:
        at.remove("copy")


@contextmanager
def empty_database(at: Databases) -> Iterator[str]:
    """Yield the URL of an empty database, and remove it at the end."""
    at.remove("empty")
    if isinstance(at, PostgresqlDatabases):
        at.create("empty")
    try:
        yield at.url("empty")
    finally:
        at.remove("empty")


def hash_files(*paths: str) -> str:
    """Return a hash of the files that decide the contents of a database."""
    files = [file for path in paths for file in sorted((TOP / path).rglob("*.py"))]
    files += [TOP / path for path in paths if path.endswith(".py")]
    text = b"".join(file.read_bytes() for file in files if "tests" not in file.parts)
    return blake2b(text, digest_size=5).hexdigest()
