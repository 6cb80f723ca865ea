"""Ctrl, Shift and the middle button open a tab or a window on links that htmx handles, too."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .moves import ORDER, assert_whole_page, in_dialog, pager_link
from .site import Site

_HOW: dict[str, dict[str, Any]] = {
    "Ctrl": {"modifiers": ["Control"]},
    "Shift": {"modifiers": ["Shift"]},
    "middle button": {"button": "middle"},
}


def open_tab(page: Page, link: Locator, how: str) -> Page:
    """Return the new tab; assert that the page itself did not change."""
    url = page.url
    with page.context.expect_page() as opened:
        link.click(**_HOW[how])
    tab = opened.value
    tab.wait_for_load_state()
    expect(page).to_have_url(url)
    expect(page.locator("dialog[open]")).to_have_count(0)
    return tab


@pytest.mark.parametrize("how", _HOW)
def test_links_of_the_list(agent: Page, how: str) -> None:
    agent.goto("/orders/?per_page=25")
    links = {
        ORDER: agent.locator("tbody th a").first,
        "Orders": pager_link(agent, "Next"),
        "Change expiration": agent.locator('.actions [href$="/expiration/"]').first,
        "Cancel gift": agent.locator('.actions [href$="/cancel/"]').first,
    }
    for title, link in links.items():
        tab = open_tab(agent, link, how)
        assert_whole_page(tab, title)
        tab.close()
    expect(agent.locator(".pager")).to_contain_text("Page 1 of")


@pytest.mark.parametrize("how", _HOW)
def test_links_of_an_order_and_its_dialog(agent: Page, site: Site, how: str) -> None:
    order_id = site.open_order()
    agent.goto(f"/orders/{order_id}/")
    tab = open_tab(agent, agent.get_by_role("link", name="Cancel gift…"), how)
    assert_whole_page(tab, "Cancel gift")
    tab.close()
    agent.get_by_role("link", name="Cancel gift…").click()
    with agent.context.expect_page() as opened:
        in_dialog(agent, "Keep gift").click(**_HOW[how])
    opened.value.wait_for_load_state()
    assert_whole_page(opened.value, ORDER)
    expect(agent.locator("#dialog[open]")).to_be_visible()
    assert site.writes(order_id) == []


def test_cmd_is_left_to_the_browser(agent: Page) -> None:
    """Chromium opens a tab with Cmd on macOS only; elsewhere the link is followed."""
    agent.goto("/orders/?per_page=25")
    agent.locator('.actions [href$="/expiration/"]').first.click(modifiers=["Meta"])
    assert_whole_page(agent, "Change expiration")
