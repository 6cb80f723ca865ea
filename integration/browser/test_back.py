"""Back after a plain link, for every kind of swap by htmx.

Back shows a whole page at the same scroll position, never only a fragment. If the session has
ended, the login page leads back to the former page.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from testing.browser import BrowserLog
from testing.users import PASSWORD, make_user

from .moves import (
    ORDER,
    assert_whole_page,
    chip,
    expect_filters,
    first_row,
    in_dialog,
    open_filter,
    pager_link,
    row,
    row_action,
    submit_button,
)
from .site import Site


def leave(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit").click()
    assert_whole_page(page, "Audit")


def go_to_page_2(page: Page) -> None:
    page.goto("/orders/?per_page=25")
    pager_link(page, "Next").click()
    expect(page.locator(".pager")).to_contain_text("Page 2 of")


def extend_in_dialog(page: Page, trigger: Locator) -> None:
    trigger.click()
    chip(page, "+7").click()
    submit_button(page).click()
    expect(page.locator("#dialog[open]")).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("Expiration changed")


def assert_back_and_forward(page: Page, title: str, check: Callable[[], None]) -> None:
    """Leave the page, go back to the same content, forward, and back again."""
    url = page.url
    leave(page)
    for _ in range(2):
        page.go_back()
        expect(page).to_have_url(url)
        assert_whole_page(page, title)
        check()
        page.go_forward()
        assert_whole_page(page, "Audit")


def test_after_the_pager(agent: Page) -> None:
    go_to_page_2(agent)
    first = first_row(agent)

    def check() -> None:
        expect(agent.locator(".pager")).to_contain_text("Page 2 of")
        assert first_row(agent) == first

    assert_back_and_forward(agent, "Orders", check)


def test_back_through_the_pages_of_the_list(agent: Page) -> None:
    """htmx itself handles this Back, since the page is not left."""
    agent.goto("/orders/?per_page=25")
    first = first_row(agent)
    for number in (2, 3):
        pager_link(agent, "Next").click()
        expect(agent.locator(".pager")).to_contain_text(f"Page {number} of")
    for number in (2, 1):
        agent.go_back()
        expect(agent.locator(".pager")).to_contain_text(f"Page {number} of")
        assert_whole_page(agent, "Orders")
    assert first_row(agent) == first
    agent.go_forward()
    expect(agent.locator(".pager")).to_contain_text("Page 2 of")
    agent.keyboard.press("j")
    agent.keyboard.press("?")
    expect(agent.locator("#shortcuts")).to_be_visible()


def test_after_a_filter(agent: Page) -> None:
    agent.goto("/orders/?per_page=25")
    open_filter(agent, "Created")
    agent.get_by_label("Created until", exact=True).fill("2026-06-30")
    agent.get_by_role("button", name="Show").locator("visible=true").click()
    expect_filters(agent, "Created: until 30 Jun 2026")
    count, first = agent.locator(".list-head").inner_text(), first_row(agent)

    def check() -> None:
        expect_filters(agent, "Created: until 30 Jun 2026")
        assert agent.locator(".list-head").inner_text().split("as of")[0] == count.split("as of")[0]
        assert first_row(agent) == first

    assert_back_and_forward(agent, "Orders", check)


def test_after_a_row_was_replaced_by_a_write(agent: Page, site: Site) -> None:
    order_id = site.order_on_page(2, size=25)
    go_to_page_2(agent)
    first = first_row(agent)
    extend_in_dialog(agent, row_action(agent, order_id, "e"))
    expires = row(agent, order_id).locator(".expires small").inner_text()

    def check() -> None:
        assert first_row(agent) == first
        expect(row(agent, order_id).locator(".expires small")).to_have_text(expires)

    assert_back_and_forward(agent, "Orders", check)
    assert site.writes(order_id) == ["update_expiration"]


@pytest.mark.parametrize("is_closed", [True, False], ids=["closed", "open"])
def test_after_a_dialog_was_opened(agent: Page, site: Site, is_closed: bool) -> None:
    order_id = site.open_order()
    agent.goto("/orders/?per_page=25")
    row_action(agent, order_id, "c").click()
    expect(in_dialog(agent, "Keep gift")).to_be_focused()
    if is_closed:
        agent.keyboard.press("Escape")
        assert_back_and_forward(
            agent, "Orders", lambda: expect(row(agent, order_id)).to_be_visible()
        )
        return
    agent.goto("/audit/")
    agent.go_back()
    assert_whole_page(agent, "Orders")
    expect(row(agent, order_id)).to_be_visible()


@pytest.mark.parametrize("swap", ["refresh", "write"])
def test_after_the_detail_was_replaced(agent: Page, site: Site, swap: str) -> None:
    order_id = site.open_order("Grace")
    agent.goto(f"/orders/{order_id}/?next=/orders/%3Fper_page%3D25")
    if swap == "refresh":
        with agent.expect_response(f"**/orders/{order_id}/*"):
            agent.get_by_role("link", name="Refresh").click()
    else:
        extend_in_dialog(agent, agent.get_by_role("link", name="Extend…"))

    def check() -> None:
        expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", order_id)
        expect(agent.locator("h1")).to_contain_text("Grace")

    assert_back_and_forward(agent, ORDER, check)
    agent.go_back()
    agent.locator(".crumbs a").first.click()
    expect(agent).to_have_url(re.compile(rf"/orders/\?per_page=25#order-{order_id}$"))


def test_back_to_the_row_that_was_opened(agent: Page, site: Site) -> None:
    """List, page and scroll position are unchanged."""
    order_id = site.order_on_page(2)
    agent.goto("/orders/")
    pager_link(agent, "Next").click()
    expect(agent.locator(".pager")).to_contain_text("Page 2 of")
    link = row(agent, order_id).locator("th a")
    link.scroll_into_view_if_needed()
    scrolled = agent.evaluate("scrollY")
    assert scrolled > 0
    link.click()
    expect(agent.locator("#order-detail")).to_be_visible()
    agent.go_back()
    assert_whole_page(agent, "Orders")
    expect(row(agent, order_id)).to_be_in_viewport()
    assert abs(agent.evaluate("scrollY") - scrolled) < 40


# --- a session that ends ------------------------------------------------------------------------


def log_in_again(page: Page) -> None:
    assert_whole_page(page, "Log in")
    page.get_by_label("User name").fill(make_user("agent").username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def assert_told_that_nothing_was_sent(page: Page) -> None:
    expect(page.locator(".banner")).to_contain_text("Your session had ended. Nothing was sent.")


def test_an_expired_session_under_the_pager(agent: Page, site: Site, watch: BrowserLog) -> None:
    watch.expected.add(401)
    go_to_page_2(agent)
    url, first = agent.url, first_row(agent)
    site.end_session(agent.context)
    pager_link(agent, "Next").click()
    log_in_again(agent)
    assert_whole_page(agent, "Orders")
    expect(agent).to_have_url(url)
    assert first_row(agent) == first


def test_an_expired_session_without_javascript_sends_nothing(
    without_javascript: Page, site: Site
) -> None:
    page = without_javascript
    order_id = site.open_order()
    site.log_in(page.context, make_user("agent"))
    page.goto(f"/orders/{order_id}/cancel/?next=/orders/%3Fper_page%3D25")
    page.get_by_label("Duplicate gift").check()
    site.end_session(page.context)
    page.get_by_role("button", name="Cancel gift").click()
    assert_told_that_nothing_was_sent(page)
    log_in_again(page)
    assert_whole_page(page, "Cancel gift")
    expect(page.get_by_role("button", name="Cancel gift")).to_be_visible()
    assert site.emulator.posts() == 0
