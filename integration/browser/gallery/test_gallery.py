"""Each page in each state: accessible in both themes, nothing moves, nothing is too small or too
wide, and the browser reports no error. The fixture `watch` asserts the last.
"""

from __future__ import annotations

from pprint import pformat

import pytest
from playwright.sync_api import Page

from integration.browser.moves import settle
from integration.browser.site import Site
from testing.browser import BrowserLog

from .checks import inspect, inspect_print
from .pictures import Album
from .table import PAGES

CASES = [(page, state) for page, states in PAGES.items() for state in states]


@pytest.mark.parametrize(("page_name", "state_name"), CASES)
def test_page_in_state(
    page: Page,
    site: Site,
    watch: BrowserLog,
    album: Album | None,
    *,
    page_name: str,
    state_name: str,
) -> None:
    state = PAGES[page_name][state_name]
    is_first = state_name == next(iter(PAGES[page_name]))
    watch.expected |= state.statuses
    watch.expected_texts |= state.texts
    state.open(site, page)
    if state.is_settled:
        settle(page)
    if album:
        album.add(page, page_name, state_name, is_first=is_first)
    found = inspect(page, is_first=is_first, polls=state.is_settled)
    if is_first:
        found |= inspect_print(page)
    assert not found, pformat(found, width=160)
