"""The whole walkthrough: log in, find an order on page 3, extend it, undo that, cancel it, read all
in the audit. By mouse, by keyboard alone, and with JavaScript off.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from orders.audit import REASONS
from testing.users import PASSWORD, make_user

from .moves import (
    ORDER,
    assert_focus_is_visible,
    assert_whole_page,
    chip,
    in_dialog,
    pager_link,
    press_until_focused,
    row,
    submit_button,
    tab_to,
    wait_for_keys,
)
from .site import Site

REASON = "Duplicate gift"
NOTE = "Sent twice, says the ticket"


@pytest.fixture
def username() -> str:
    """A new user, so that the audit has no other entries by them."""
    return make_user("agent", "ana").username


class Walkthrough:
    """Assertions on Goody's state after each step, for every kind of input."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.order_id = site.order_on_page(3)
        self.expiry = site.expiry(self.order_id)

    def assert_extended(self) -> None:
        assert self.site.expiry(self.order_id) == self.expiry + timedelta(days=14)
        assert self.site.writes(self.order_id) == ["update_expiration"]

    def assert_undone(self) -> None:
        assert self.site.expiry(self.order_id) == self.expiry
        assert self.site.writes(self.order_id) == ["update_expiration"] * 2

    def assert_canceled(self) -> None:
        assert self.site.emulator.get_order(self.order_id)["status"] == "failed"
        assert self.site.writes(self.order_id) == ["update_expiration"] * 2 + ["cancel"]
        assert self.site.emulator.posts() == 3

    def assert_told_in(self, audit: Page) -> None:
        """Assert the audit of this order: newest first, each entry with its outcome."""
        assert_whole_page(audit, "Audit")
        rows = audit.locator(f'tbody tr:has(a[href="/orders/{self.order_id}/"])')
        expect(rows).to_have_count(3)
        for entry, words in zip(
            rows.all(),
            (
                ["Cancel gift", REASON, NOTE, r"(Notified|Opened) → Canceled"],
                ["Undo change of expiration", "Undone"],
                ["Change expiration", "Expiration changed"],
            ),
            strict=True,
        ):
            expect(entry).to_contain_text("Ana")
            for word in words:
                expect(entry).to_contain_text(re.compile(word))


def log_in(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)


def test_by_mouse(page: Page, site: Site, username: str) -> None:
    walkthrough = Walkthrough(site)
    page.goto("/orders/")
    log_in(page, username)
    page.get_by_role("button", name="Log in").click()
    for number in (2, 3):
        pager_link(page, "Next").click()
        expect(page.locator(".pager")).to_contain_text(f"Page {number} of")
    row(page, walkthrough.order_id).locator("th a").click()
    expect(page.locator("#order-detail")).to_be_visible()
    wait_for_keys(page)

    page.get_by_role("link", name="Extend…").click()
    chip(page, "+14").click()
    submit_button(page).click()
    expect(page.locator(".toast")).to_contain_text("Expiration changed")
    expect(page.locator("#dialog[open]")).to_have_count(0)
    walkthrough.assert_extended()

    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()
    expect(page.locator("#dialog[open]")).to_have_count(0)
    walkthrough.assert_undone()

    page.get_by_role("link", name="Cancel gift…").click()
    page.get_by_label(REASON).click()
    page.get_by_role("textbox", name="Note").fill(NOTE)
    in_dialog(page, "Cancel gift").click()
    expect(page.locator("#order-detail")).to_have_attribute("data-status", "failed")
    expect(page.locator("#order-detail .badge").first).to_have_text("Canceled")
    walkthrough.assert_canceled()

    page.get_by_role("link", name="Audit").click()
    walkthrough.assert_told_in(page)


def test_by_keyboard_alone(page: Page, site: Site, username: str) -> None:
    walkthrough = Walkthrough(site)
    press = page.keyboard.press
    page.goto("/orders/")
    page.keyboard.type(username)
    press("Tab")
    page.keyboard.type(PASSWORD)
    press("Enter")
    expect(page.locator("h1")).to_have_text("Orders")
    wait_for_keys(page)
    for number in (2, 3):
        press("]")
        expect(page.locator(".pager")).to_contain_text(f"Page {number} of")
    link = row(page, walkthrough.order_id).locator("th a")
    press_until_focused(page, "j", link, within=50)
    press("Enter")
    expect(page.locator("#order-detail")).to_be_visible()
    wait_for_keys(page)

    trigger = page.get_by_role("link", name="Extend…")
    tab_to(page, trigger)
    press("Enter")
    expect(page.locator("#dialog[open]")).to_be_visible()
    press("Escape")
    expect(trigger).to_be_focused()
    press("e")
    expect(page.locator("#dialog[open]")).to_be_visible()
    expect(chip(page, "+14").locator("input")).to_be_checked()
    expect(chip(page, "+14").locator("input")).to_be_focused()
    assert_focus_is_visible(page)
    expect(submit_button(page)).to_be_enabled()
    press("Enter")
    expect(page.locator(".toast")).to_contain_text("Expiration changed")
    walkthrough.assert_extended()
    expect(page.get_by_role("link", name="Extend…")).to_be_focused()

    tab_to(page, page.locator(".toast").get_by_role("button", name="Undo"), within=80)
    press("Enter")
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()
    expect(page.locator("[data-refresh]")).to_be_focused()
    walkthrough.assert_undone()

    press("c")
    expect(in_dialog(page, "Keep gift")).to_be_focused()
    tab_to(page, page.locator("#dialog [name=reason]").last, key="Shift+Tab")
    press_until_focused(page, "ArrowUp", page.get_by_label(REASON), within=len(REASONS))
    expect(page.get_by_label(REASON)).to_be_checked()
    tab_to(page, page.get_by_role("textbox", name="Note"))
    page.keyboard.type(NOTE)
    expect(in_dialog(page, "Cancel gift")).to_be_enabled()
    tab_to(page, in_dialog(page, "Cancel gift"))
    press("Enter")
    expect(page.locator("#order-detail")).to_have_attribute("data-status", "failed")
    walkthrough.assert_canceled()

    press("g")
    press("a")
    walkthrough.assert_told_in(page)


def test_without_javascript(without_javascript: Page, site: Site, username: str) -> None:
    page, walkthrough = without_javascript, Walkthrough(site)
    page.goto("/orders/")
    log_in(page, username)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Go to page").fill("3")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator(".pager")).to_contain_text("Page 3 of")
    page_3 = page.url
    row(page, walkthrough.order_id).locator("th a").click()
    assert_whole_page(page, ORDER)

    page.get_by_role("link", name="Extend…").click()
    assert_whole_page(page, "Change expiration")
    chip(page, "+14").click()
    page.get_by_role("button", name="Extend to").click()
    assert_whole_page(page, "Change expiration")
    expect(page.locator("#operation")).to_contain_text("Expiration changed")
    walkthrough.assert_extended()

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#operation")).to_contain_text("Undone")
    walkthrough.assert_undone()

    page.get_by_role("link", name="Open the order").click()
    page.get_by_role("link", name="Cancel gift…").click()
    page.get_by_label(REASON).click()
    page.get_by_role("textbox", name="Note").fill(NOTE)
    page.get_by_role("button", name="Cancel gift").click()
    expect(page.locator("#operation")).to_contain_text("Canceled")
    walkthrough.assert_canceled()

    page.get_by_role("link", name="Back to the list").click()
    expect(page).to_have_url(page_3)
    expect(row(page, walkthrough.order_id)).to_have_attribute("data-status", "failed")
    page.get_by_role("link", name="Audit").click()
    walkthrough.assert_told_in(page)
