"""A browser context with a clock that jumps, and the album if pictures are wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from integration.browser.contexts import VIEWPORT, borrowed
from integration.browser.site import Site
from orders.models import SyncState
from testing.browser import BrowserLog

from .checks import WATCH_SHIFTS
from .pictures import Album


@pytest.fixture(scope="package")
def _clocked_context(browser: Browser, _site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=_site.url, viewport=VIEWPORT)
    context.clock.install()
    context.add_init_script(WATCH_SHIFTS)
    yield context
    context.close()


@pytest.fixture
def context(
    _clocked_context: BrowserContext, site: Site, watch: BrowserLog
) -> Iterator[BrowserContext]:
    with borrowed(_clocked_context, watch) as shared:
        yield shared
        shared.pages[0].unroute_all(behavior="ignoreErrors")
    SyncState.objects.all().delete()


@pytest.fixture(scope="package")
def album() -> Iterator[Album | None]:
    """The album of `make gallery`, in the folder GALLERY; None in tests."""
    folder = os.environ.get("GALLERY")
    if not folder:
        yield None
        return
    made = Album(Path(folder).resolve())
    yield made
    made.write_contact_sheet()
