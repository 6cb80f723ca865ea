"""The frame of every page and the small pages: edges, what stays in sight, the time zone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from orders.models import Profile
from testing.browser import BrowserLog
from testing.users import make_user

from .site import Site

_EDGES = """() => {
  const [bar, page] = ["topbar", "page"].map(name => document.querySelector(`.${name}`));
  return [bar, page].map(it => {
    const { left, right } = it.getBoundingClientRect(), style = getComputedStyle(it);
    return [left + parseFloat(style.paddingLeft), right - parseFloat(style.paddingRight)];
  });
}"""


@pytest.mark.parametrize("width", [320, 720, 1024, 1440, 1920])
def test_the_bar_and_the_page_have_the_same_edges(agent: Page, width: int) -> None:
    agent.set_viewport_size({"width": width, "height": 900})
    agent.goto("/audit/")
    bar, page = agent.evaluate(_EDGES)
    assert bar == page
    assert page[1] - page[0] <= 1680


def test_the_bar_stays_in_sight_where_there_is_room(agent: Page) -> None:
    agent.goto("/settings/")
    bar = agent.locator(".topbar")
    for size, stays in (((1440, 500), True), ((320, 600), False), ((1440, 400), False)):
        agent.set_viewport_size({"width": size[0], "height": size[1]})
        agent.mouse.move(100, 300)
        agent.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        box = bar.bounding_box()
        assert box
        assert (box["y"] == 0) == stays, size


def test_the_head_of_the_audit_stays_below_the_bar(
    as_person: Callable[..., Page], site: Site
) -> None:
    for _ in range(12):
        site.operation(site.open_order(), state="applied")
    page = as_person("lead")
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto("/audit/")
    page.evaluate("scrollTo(0, 300)")
    box = page.locator("thead th").first.bounding_box()
    assert box
    assert box["y"] == 48


def test_the_zone_of_the_browser_is_one_click_away(
    browser: Browser, site: Site, watch: BrowserLog
) -> None:
    """Chromium calls Asia/Kolkata by its former name."""
    user = make_user("agent", "traveler")
    context = browser.new_context(base_url=site.url, timezone_id="Asia/Calcutta")
    watch.attach(context)
    site.log_in(context, user, time_zone="Europe/Paris")
    page = context.new_page()
    page.goto("/settings/")
    page.get_by_role("button", name="Use this browser’s: Asia/Calcutta").click()
    expect(page.locator(".toast")).to_have_text("Settings saved")
    expect(page.get_by_label("Time zone", exact=True)).to_have_value("Asia/Kolkata")
    expect(page.locator("#browser-zone")).to_be_hidden()
    assert Profile.objects.get(user=user).time_zone == "Asia/Kolkata"
    context.close()


def test_all_keys_are_shown_from_the_settings(agent: Page) -> None:
    agent.goto("/settings/")
    agent.get_by_role("button", name="Show all keys").click()
    expect(agent.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    agent.keyboard.press("Escape")
    expect(agent.get_by_role("button", name="Show all keys")).to_be_focused()


def test_404_page_has_one_link(agent: Page, watch: BrowserLog) -> None:
    watch.expected.add(404)
    agent.goto("/nowhere/")
    expect(agent.locator("main a")).to_have_count(1)
    expect(agent.locator("main a")).to_have_text("All orders")


def test_the_filters_of_the_audit_work_without_javascript(
    without_javascript: Page, site: Site
) -> None:
    site.log_in(without_javascript.context, make_user("lead"))
    site.operation(site.open_order(), state="applied")
    page = without_javascript
    page.goto("/audit/")
    page.locator("summary", has_text="What").click()
    page.get_by_label("What").select_option("Cancel gift")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".filter.is-active summary")).to_have_text("What: Cancel gift")
    expect(page.locator("tbody tr")).not_to_have_count(0)
    page.get_by_role("link", name="Remove: What: Cancel gift").click()
    expect(page.locator(".filter.is-active")).to_have_count(0)
