"""Text typed in a dialog or a login form survives the mouse, the end of the session, a login in
another tab, and a failure of the dashboard.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from testing.browser import BrowserLog
from testing.users import PASSWORD, make_user

from .moves import ORDER, assert_whole_page, in_dialog
from .site import Site
from .test_dialogs import choose_reason

NOTE = "Sent twice, says the ticket"


def type_into_dialog(page: Page, order_id: str) -> None:
    page.goto(f"/orders/{order_id}/")
    page.get_by_role("link", name="Cancel gift…").click()
    choose_reason(page)
    page.get_by_role("textbox", name="Note").fill(NOTE)
    # Goody has answered.
    expect(in_dialog(page, "Cancel gift")).to_be_enabled()


def assert_kept(page: Page) -> None:
    expect(page.locator("#dialog[open]")).to_be_visible()
    expect(page.get_by_role("textbox", name="Note")).to_have_value(NOTE)


def submit(page: Page, site: Site, order_id: str) -> None:
    in_dialog(page, "Cancel gift").click()
    expect(page.locator("#order-detail")).to_have_attribute("data-status", "failed")
    assert site.writes(order_id) == ["cancel"]


def log_in(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


# --- the mouse ----------------------------------------------------------------------------------


def test_selecting_text_onto_the_backdrop_closes_nothing(agent: Page, site: Site) -> None:
    type_into_dialog(agent, site.open_order())
    note = agent.get_by_role("textbox", name="Note").bounding_box()
    assert note
    agent.mouse.move(note["x"] + 60, note["y"] + 15)
    agent.mouse.down()
    agent.mouse.move(20, note["y"] + 15, steps=5)
    agent.mouse.up()
    assert_kept(agent)


def test_a_click_beside_the_dialog_closes_it_unless_something_was_typed(
    agent: Page, site: Site
) -> None:
    order_id = site.open_order()
    agent.goto(f"/orders/{order_id}/")
    agent.get_by_role("link", name="Cancel gift…").click()
    expect(in_dialog(agent, "Keep gift")).to_be_focused()
    agent.mouse.click(20, 400)
    expect(agent.locator("#dialog")).to_be_hidden()
    type_into_dialog(agent, order_id)
    agent.mouse.click(20, 400)
    assert_kept(agent)


# --- the session --------------------------------------------------------------------------------


@pytest.mark.own_context
def test_a_session_that_ends_leaves_the_dialog(agent: Page, site: Site, watch: BrowserLog) -> None:
    """Neither the minute's poll nor the submit leads away; after a login in another tab the same
    form is sent.
    """
    watch.expected.add(401)
    agent.clock.install()
    order_id = site.open_order()
    type_into_dialog(agent, order_id)
    site.end_session(agent.context)
    agent.clock.fast_forward("01:05")
    expect(agent.locator("#problem .banner")).to_contain_text("Your session has ended")
    assert_kept(agent)
    in_dialog(agent, "Cancel gift").click()
    banner = agent.locator("#dialog .banner")
    expect(banner).to_contain_text("The form was not sent. What you typed is still here.")
    assert_kept(agent)
    with agent.context.expect_page() as opened:
        banner.get_by_role("link", name="Log in").click()
    tab = opened.value
    assert_whole_page(tab, "Log in")
    log_in(tab, make_user("agent").username)
    assert_whole_page(tab, ORDER)
    tab.close()
    submit(agent, site, order_id)


@pytest.mark.own_context
def test_poll_does_not_navigate(agent: Page, site: Site, watch: BrowserLog) -> None:
    watch.expected.add(401)
    agent.clock.install()
    agent.goto("/orders/find/")
    field = agent.get_by_label("A ticket, an e-mail, a column of a spreadsheet")
    field.fill(NOTE)
    site.end_session(agent.context)
    agent.clock.fast_forward("01:05")
    expect(agent.locator("#problem .banner")).to_contain_text("Your session has ended")
    expect(field).to_have_value(NOTE)


def test_the_same_person_logs_in_again_in_another_tab(agent: Page, site: Site) -> None:
    """A login replaces the CSRF token of the open form."""
    order_id = site.open_order()
    agent.goto("/audit/")
    type_into_dialog(agent, order_id)
    tab = agent.context.new_page()
    tab.goto("/audit/")
    tab.locator(".menu summary").click()
    tab.get_by_role("button", name="Log out").click()
    assert_whole_page(tab, "Log in")
    tab.goto("/login/?next=/audit/")
    log_in(tab, make_user("agent").username)
    assert_whole_page(tab, "Audit")
    submit(agent, site, order_id)


@pytest.mark.parametrize("has_javascript", [True, False], ids=["with", "without JavaScript"])
def test_two_login_pages(
    request: pytest.FixtureRequest, page: Page, has_javascript: bool, watch: BrowserLog
) -> None:
    """The second one logs in as well, instead of answering 403."""
    second = page if has_javascript else request.getfixturevalue("without_javascript")
    username = make_user("agent").username
    second.goto("/login/?next=/audit/")
    first = second.context.new_page()
    first.goto("/login/?next=/orders/")
    log_in(first, username)
    assert_whole_page(first, "Orders")
    log_in(second, username)
    assert_whole_page(second, "Audit")


def test_a_login_page_that_is_too_old_is_renewed(without_javascript: Page, site: Site) -> None:
    page = without_javascript
    page.goto("/login/?next=/audit/")
    page.context.clear_cookies()
    username = make_user("agent").username
    log_in(page, username)
    assert_whole_page(page, "Log in")
    expect(page.locator(".banner")).to_contain_text("Log in once more")
    log_in(page, username)
    assert_whole_page(page, "Audit")


# --- the dashboard ------------------------------------------------------------------------------


def test_failure_of_the_dashboard_is_shown_beside_the_form(
    agent: Page, site: Site, watch: BrowserLog
) -> None:
    watch.expected.add(403)
    order_id = site.open_order()
    type_into_dialog(agent, order_id)
    cookies = [one for one in agent.context.cookies() if one["name"] != "csrftoken"]
    agent.context.clear_cookies()
    agent.context.add_cookies(cookies)  # type: ignore[arg-type]
    in_dialog(agent, "Cancel gift").click()
    expect(agent.locator("#dialog .banner")).to_contain_text("This form could not be trusted")
    assert_kept(agent)
    assert site.writes(order_id) == []
