"""One dashboard for all browser tests, and pages that report every browser error.

SQLite only, since one gunicorn serves all tests; tests without a browser cover both databases.
Orders persist between tests, so each test uses orders of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.plugin import DjangoDbBlocker

from testing import databases
from testing.browser import BrowserLog
from testing.databases import Databases
from testing.processes import LiveApp
from testing.users import make_user
from testing.vendor import Emulator

from .contexts import VIEWPORT, borrowed, only_page
from .site import Site

# Reads of an unknown outcome follow at once, since a browser waits for them.
SETTINGS = {"OPERATION_READS": "0.2,1,2,5,10", "TIME_ZONE": "America/New_York"}


@pytest.fixture(scope="package")
def _site(
    _databases: Databases, _emulator_process: Emulator, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    _emulator_process.reset()
    with django_db_blocker.unblock():
        url = _databases.copy("sqlite")
        databases.use_database(url)
        app = LiveApp(
            database_url=url,
            goody_url=_emulator_process.url,
            goody_key=_emulator_process.key,
            env=SETTINGS,
        )
        try:
            app.start_web()
            yield Site(app=app, emulator=_emulator_process)
        finally:
            app.end()
            _databases.drop(url)


@pytest.fixture
def site(_site: Site) -> Iterator[Site]:
    """The running dashboard and its Goody, without the faults and counts of earlier tests."""
    _site.forget()
    yield _site
    _site.end_worker()


@pytest.fixture
def emulator(site: Site) -> Emulator:
    """The emulator of the running dashboard. It is not reset, since open orders must stay open."""
    return site.emulator


@pytest.fixture
def watch(site: Site) -> Iterator[BrowserLog]:
    """The browser's errors and requests. An error fails the test at its end."""
    seen = BrowserLog(site.url)
    yield seen
    seen.assert_clean()


@pytest.fixture(scope="package")
def _shared_contexts(browser: Browser, _site: Site) -> Iterator[dict[bool, BrowserContext]]:
    """One browser context with JavaScript and one without. Opening a context, filling its cache
    with the static files and opening a page in it take longer than most tests.
    """
    contexts = {
        has_script: browser.new_context(
            java_script_enabled=has_script, base_url=_site.url, viewport=VIEWPORT
        )
        for has_script in (True, False)
    }
    yield contexts
    for one in contexts.values():
        one.close()


@pytest.fixture
def context(
    request: pytest.FixtureRequest, site: Site, watch: BrowserLog
) -> Iterator[BrowserContext]:
    """The shared context, unless the test is marked `own_context`."""
    if request.node.get_closest_marker("own_context"):
        own: BrowserContext = request.getfixturevalue("new_context")()
        watch.attach(own)
        yield own
        return
    with borrowed(request.getfixturevalue("_shared_contexts")[True], watch) as shared:
        yield shared


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A blank page of the context: the only one."""
    return only_page(context)


@pytest.fixture
def as_person(context: BrowserContext, site: Site, page: Page) -> Callable[..., Page]:
    """as_person("agent") -> the test's page, logged in as a user with that role."""

    def become(role: str, username: str = "", **profile: str) -> Page:
        site.log_in(context, make_user(role, username), **profile)
        return page

    return become


@pytest.fixture
def agent(as_person: Callable[..., Page]) -> Page:
    return as_person("agent")


@pytest.fixture
def without_javascript(
    _shared_contexts: dict[bool, BrowserContext], site: Site, watch: BrowserLog
) -> Iterator[Page]:
    with borrowed(_shared_contexts[False], watch) as shared:
        yield only_page(shared)


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, object], _site: Site) -> dict[str, object]:
    return {
        **browser_context_args,
        "base_url": _site.url,
        "viewport": VIEWPORT,
    }


@pytest.fixture
def person() -> Callable[[str], User]:
    return make_user
