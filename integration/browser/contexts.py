"""Browser contexts that tests share, and the only page in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page, ViewportSize

from testing.browser import BrowserLog

VIEWPORT: ViewportSize = {"width": 1280, "height": 800}


@contextmanager
def borrowed(context: BrowserContext, watch: BrowserLog) -> Iterator[BrowserContext]:
    """A shared context with at most one page, which is blank; no cookies, no permissions."""
    watch.attach(context)
    yield context
    watch.detach(context)
    first, *others = context.pages or [context.new_page()]
    for page in others:
        page.close()
    _reset(first, watch.url)
    context.clear_cookies()
    context.clear_permissions()


def _reset(page: Page, site: str) -> None:
    """Leave the dashboard's pages, and restore the mouse, the window and the system's preferences.

    From about:blank the browser would start another process for the next page of the site.
    """
    page.goto(f"{site}/healthz")
    page.mouse.move(0, 0)
    page.set_viewport_size(VIEWPORT)
    page.emulate_media(
        media="null", color_scheme="null", reduced_motion="null", forced_colors="null"
    )


def only_page(context: BrowserContext) -> Page:
    return context.pages[0] if context.pages else context.new_page()
