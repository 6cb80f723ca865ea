"""Fixtures and rules for every test.

Tests that touch the database run once for each database: [sqlite] and [postgresql]. The
fixtures do not depend on pages or the domain; testing/ implements them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.test import Client
from playwright.sync_api import Playwright
from pytest_django.plugin import DjangoDbBlocker

from testing import browser, databases, postgres, processes, redis_server, users, vendor
from testing.databases import Databases
from testing.scratch import make_folder

# Playwright's event loop runs in the test's thread, where Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

_NEEDS_A_DATABASE = {"db", "transactional_db", "live_server", "database_url"}
_ONE_KIND = {"sqlite_only": "sqlite", "postgresql_only": "postgresql"}


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI, where everything must be installed."""
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(f"CI must have it: {reason}", pytrace=False)
    pytest.skip(reason)


# --- Which database ---------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    for name, kind in _ONE_KIND.items():
        config.addinivalue_line("markers", f"{name}(reason): runs only on {kind}")
    databases.flush_around_triggers()
    if not hasattr(config, "workerinput"):
        # Handled like Ctrl-C, so that fixtures stop what they started.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        config.stash[_RUN] = str(make_folder("goody-admin-tests-"))


_RUN = pytest.StashKey[str]()


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(_RUN, ""):
        databases.clean_up_run(Path(run))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: give each worker the folder and the process that exist for the whole run."""
    node.workerinput["run_folder"] = node.config.stash[_RUN]
    node.workerinput["run_owner"] = os.getpid()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker("django_db") is not None
    if marked or not _NEEDS_A_DATABASE.isdisjoint(metafunc.fixturenames):
        kinds = _kinds(metafunc.definition)
        metafunc.parametrize("database_kind", kinds, indirect=True, scope="session")


def _kinds(item: pytest.Item) -> list[str]:
    for name, kind in _ONE_KIND.items():
        if marker := item.get_closest_marker(name):
            if not marker.kwargs.get("reason"):
                raise pytest.UsageError(f"{item.nodeid}: @{name} needs a reason")
            return [kind]
    return list(databases.KINDS)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests by database, since changing the database takes time."""
    items.sort(key=lambda item: _kind_of(item) or "")
    items.sort(key=lambda item: _kind_of(item) == "postgresql")


def _kind_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("database_kind") if callspec else None


@pytest.fixture(scope="session")
def _databases(request: pytest.FixtureRequest, worker_id: str) -> Databases:
    worker = getattr(request.config, "workerinput", None)
    shared = Path(worker["run_folder"] if worker else request.config.stash[_RUN])
    own = shared / worker_id
    own.mkdir()
    return Databases(
        shared=shared,
        own=own,
        owner=worker["run_owner"] if worker else os.getpid(),
    )


@pytest.fixture(scope="session", autouse=True)
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of the default connection; empty for tests without a database."""
    kind: str = getattr(request, "param", "")
    if kind:
        blocker: DjangoDbBlocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock():
            try:
                request.getfixturevalue("_databases").use(kind)
            except postgres.PostgresMissing as error:
                missing(str(error))
    return kind


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """Replaces pytest-django's fixture: database_kind creates the databases."""


@pytest.fixture
def database_url(
    database_kind: str, _databases: Databases, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """DATABASE_URL of a migrated, empty database for processes; models use it too.

    Do not combine it with django_db: the database is dropped, not rolled back.
    """
    url = _databases.copy(database_kind)
    with django_db_blocker.unblock():
        databases.use_database(url)
        yield url
        _databases.use(database_kind)
    _databases.drop(url)


@pytest.fixture
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL that the test may stop and start: .url(name), .stop(), .start()."""
    try:
        server = postgres.Server()
    except postgres.PostgresMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def redis_url() -> Iterator[str]:
    """TASKS_URL of a Redis or Valkey of this test."""
    try:
        server = redis_server.RedisServer()
    except redis_server.RedisMissing as error:
        missing(str(error))
    yield server.url
    server.stop()


# --- Goody, people, processes -----------------------------------------------------------------


@pytest.fixture(scope="session")
def _emulator_process() -> Iterator[vendor.Emulator]:
    emulator = vendor.Emulator()
    yield emulator
    emulator.stop()


@pytest.fixture
def emulator(_emulator_process: vendor.Emulator, settings: Any) -> vendor.Emulator:
    """An emulated Goody in its initial state; the settings of this process point to it."""
    _emulator_process.reset()
    settings.GOODY_API_URL = _emulator_process.url
    settings.GOODY_API_KEY = _emulator_process.key
    settings.GOODY_ENVIRONMENT = "emulator"
    return _emulator_process


@pytest.fixture
def as_role(db: None) -> Callable[..., Client]:
    """as_role("agent") -> a client logged in as a user with that role (its .user)."""

    def log_in(role: str, username: str = "") -> Client:
        client = Client()
        client.user = users.make_user(role, username)  # type: ignore[attr-defined]
        client.force_login(client.user)  # type: ignore[attr-defined]
        return client

    return log_in


@pytest.fixture
def live_app(
    database_url: str, emulator: vendor.Emulator
) -> Iterator[Callable[..., processes.LiveApp]]:
    """live_app(webs=2, workers=1, OPERATION_LEASE="1") -> a running dashboard."""
    started: list[processes.LiveApp] = []

    def start(*, webs: int = 1, workers: int = 0, **env: str) -> processes.LiveApp:
        app = processes.LiveApp(
            database_url=database_url, goody_url=emulator.url, goody_key=emulator.key, env=env
        )
        started.append(app)
        if webs:
            app.start_web(webs)
        for _ in range(workers):
            app.start_worker()
        return app

    yield start
    for app in started:
        app.end()


# --- Browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(playwright: Playwright) -> dict[str, object]:
    options = browser.launch_options(playwright)
    if options is None:
        missing("no Chromium (Debian package chromium, or: python -m playwright install chromium)")
    return options
