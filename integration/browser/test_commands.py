"""The list of commands, the keys found in the menu, and a whole ticket by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from msgspec import json
from playwright.sync_api import Locator, Page, expect

from goody.types import parse_order
from orders import index
from orders.models import Profile, SyncState
from testing.list_pages import complete_sync

from .moves import assert_whole_page, row, wait_for_keys
from .site import Site


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    complete_sync(timezone.now())
    yield
    SyncState.objects.all().delete()


def known(site: Site, name: str, **fields: object) -> str:
    """A new order that is in the index."""
    order_id = site.open_order(name, **fields)
    index.upsert_orders(
        [parse_order(json.encode(site.emulator.get_order(order_id)))], read_at=timezone.now()
    )
    return order_id


def commands(page: Page) -> Locator:
    return page.locator("#commands [role=option]:visible")


def open_commands(page: Page) -> None:
    wait_for_keys(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Find a command")).to_be_focused()


class Fingers:
    """Presses keys and counts them: a chord is as many keys as it has."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.pressed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)
            self.pressed += len(key.split("+"))


def test_an_extension_from_a_pasted_address_takes_at_most_twelve_keys(
    agent: Page, site: Site
) -> None:
    """Find, read, extend by 14 days, open the next one."""
    addresses = [f"ticket.{uuid4().hex[:8]}@post.test" for _ in range(2)]
    expires = (timezone.now() + timedelta(days=2)).isoformat()
    first, second = (
        known(site, "Ada", recipient_email=one, expires_at=expires) for one in addresses
    )
    before = site.expiry(first)
    agent.context.grant_permissions(["clipboard-read", "clipboard-write"])
    agent.goto("/orders/")
    wait_for_keys(agent)
    fingers = Fingers(agent)
    agent.evaluate("text => navigator.clipboard.writeText(text)", addresses[0])
    fingers.press("/", "Control+V", "Enter")
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", first)
    wait_for_keys(agent)
    expect(agent.locator("#order-detail [data-key=e]")).to_be_visible()
    fingers.press("e")
    expect(agent.locator("#dialog-submit")).to_be_enabled()
    chosen = agent.locator("#dialog [name=expiration]:checked")
    while "14 days" not in chosen.locator("xpath=..").inner_text():
        fingers.press("ArrowRight")
        assert fingers.pressed < 12
    fingers.press("Enter")
    expect(agent.locator("#dialog")).to_be_hidden()
    agent.evaluate("text => navigator.clipboard.writeText(text)", addresses[1])
    fingers.press("/", "Control+V", "Enter")
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", second)
    assert site.expiry(first) > before + timedelta(days=10)
    assert fingers.pressed <= 12


def test_commands_are_found_by_words(agent: Page) -> None:
    agent.goto("/audit/")
    open_commands(agent)
    expect(commands(agent).filter(has_text="Settings")).to_be_visible()
    agent.keyboard.type("text FIND")
    expect(commands(agent)).to_have_text(["Find orders in a text"])
    agent.keyboard.press("Enter")
    assert_whole_page(agent, "Find orders in a text")


def test_commands_of_the_page_and_of_the_current_row(agent: Page, site: Site) -> None:
    name = f"Row{uuid4().hex[:6]}"
    order_id = known(site, name)
    agent.goto(f"/orders/?q={name}")
    open_commands(agent)
    expect(commands(agent).filter(has_text="Refresh")).to_be_visible()
    expect(commands(agent).filter(has_text="Cancel gift")).to_have_count(0)
    agent.keyboard.press("Escape")
    row(agent, order_id).locator("th a").focus()
    open_commands(agent)
    agent.keyboard.type("cancel")
    expect(commands(agent)).to_have_count(1)
    agent.keyboard.press("Enter")
    expect(agent.get_by_role("dialog").locator("h2, h1").first).to_contain_text("Cancel")
    assert site.writes(order_id) == []


def test_commands_open_from_the_box_and_the_menu(agent: Page) -> None:
    agent.goto("/audit/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    open_commands(agent)
    agent.keyboard.press("Escape")
    agent.locator(".menu > summary").click()
    agent.get_by_role("button", name=re.compile("^Commands")).click()
    expect(commands(agent).first).to_be_visible()
    agent.keyboard.type("keyboard")
    agent.keyboard.press("Enter")
    expect(agent.locator("#shortcuts")).to_be_visible()
    expect(agent.locator("#commands")).to_be_hidden()


def test_the_keys_are_found_without_a_key(agent: Page) -> None:
    agent.goto("/orders/")
    agent.locator(".menu > summary").click()
    agent.get_by_role("button", name=re.compile("^Keyboard shortcuts")).click()
    expect(agent.locator("#shortcuts")).to_contain_text("opens the dialog or the preview")


def test_commands_have_no_key_where_keys_are_switched_off(agent: Page, site: Site) -> None:
    profiles = Profile.objects.filter(user=site.person("agent"))
    profiles.update(has_shortcuts=False)
    try:
        agent.goto("/audit/")
        wait_for_keys(agent)
        agent.keyboard.press("Control+k")
        expect(agent.locator("#commands")).to_be_hidden()
    finally:
        profiles.update(has_shortcuts=True)
