"""Twelve tasks of a support agent, counted in keys and clicks.

Each is done as quickly as the pages allow, from the list of orders. A letter is one key and a chord
as many as it has; a paste is Ctrl+V. The texts that a person types anyway count as well. The counts
are those at which each task was done last: a change that needs more is seen here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from msgspec import json
from playwright.sync_api import Locator, Page, expect

from goody.types import parse_order
from orders import index
from orders.models import Profile, SavedView, SyncState
from testing.list_pages import complete_sync

from .moves import assert_whole_page, in_dialog, wait_for_keys
from .site import Site


class Hand:
    """Does what a person does at a page, and counts keys and clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0
        self.clicks = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += len(key.split("+"))

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def paste(self, text: str) -> None:
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.press("Control+V")

    def click(self, place: Locator) -> None:
        place.click()
        self.clicks += 1

    def search(self, text: str) -> None:
        """Paste into the search box and press Enter."""
        self.press("/")
        self.paste(text)
        self.press("Enter")

    @property
    def counted(self) -> tuple[int, int]:
        return self.keys, self.clicks


@pytest.fixture
def hand(agent: Page, site: Site) -> Iterator[Hand]:
    """A support agent at the list of a complete index."""
    site.fill_index()
    complete_sync(timezone.now())
    agent.context.grant_permissions(["clipboard-read", "clipboard-write"])
    agent.goto("/orders/")
    wait_for_keys(agent)
    yield Hand(agent)
    SyncState.objects.all().delete()


@pytest.fixture
def known(site: Site) -> Callable[..., str]:
    """known("Ada", ...) -> the id of a new order that is in the index."""

    def create(name: str, **fields: object) -> str:
        order_id = site.open_order(name, **fields)
        order = parse_order(json.encode(site.emulator.get_order(order_id)))
        index.upsert_orders([order], read_at=timezone.now())
        return order_id

    return create


type Known = Callable[..., str]


def expect_opened(page: Page, order_id: str) -> None:
    expect(page.locator("#order-detail")).to_have_attribute("data-order-id", order_id)
    wait_for_keys(page)


def an_address() -> str:
    return f"task.{uuid4().hex[:8]}@post.test"


def test_find_by_address(hand: Hand, known: Known) -> None:
    address = an_address()
    order_id = known("Ada", recipient_email=address)
    hand.search(address)
    expect_opened(hand.page, order_id)
    assert hand.counted == (4, 0)


def test_find_by_a_misspelled_name(hand: Hand, known: Known) -> None:
    known("Theodora", recipient_last_name="Nightingale")
    hand.press("/")
    hand.type("nightingle")
    expect(hand.page.locator("#box-popup")).to_contain_text("Did you mean")
    hand.press("ArrowDown", "Enter")
    expect(hand.page.locator(".orders tbody tr").first).to_contain_text("Theodora Nightingale")
    assert hand.counted == (len("nightingle") + 3, 0)


def test_find_by_receipt(hand: Hand, site: Site, known: Known) -> None:
    order_id = known("Ada")
    hand.search(f"#{site.emulator.get_order(order_id)['reference_id']}")
    expect_opened(hand.page, order_id)
    assert hand.counted == (4, 0)


def test_find_by_link(hand: Hand, site: Site, known: Known) -> None:
    order_id = known("Ada")
    hand.search(site.emulator.get_order(order_id)["individual_gift_link"])
    expect_opened(hand.page, order_id)
    assert hand.counted == (4, 0)


def test_find_by_a_pasted_ticket(hand: Hand, known: Known) -> None:
    address = an_address()
    wanted = {known("Ada", recipient_email=address), known("Grace")}
    lines = "\n".join(f"Please look at {one}," for one in wanted)
    hand.press("/")
    hand.paste(f"From: Ada <{address}>\n{lines}\nthank you\n")
    assert_whole_page(hand.page, "Ticket")
    named = hand.page.get_by_role("region", name="Orders in the text").locator("tbody tr")
    expect(named).to_have_count(2)
    wait_for_keys(hand.page)
    hand.press("j", "Enter")
    expect(hand.page.locator("#order-detail")).to_be_visible()
    assert hand.counted == (5, 0)


def test_extend_an_expired_gift(hand: Hand, site: Site, known: Known) -> None:
    address = an_address()
    past = (timezone.now() - timedelta(days=3)).isoformat()
    order_id = known("Ada", recipient_email=address, expires_at=past)
    hand.search(address)
    expect_opened(hand.page, order_id)
    expect(hand.page.locator("#order-detail [data-key=e]")).to_be_visible()
    hand.press("e")
    expect(hand.page.locator("#dialog-submit")).to_be_enabled()
    hand.press("Enter")
    expect(hand.page.locator(".toast")).to_contain_text("Expiration changed")
    assert site.expiry(order_id) > timezone.now()
    assert hand.counted == (6, 0)


def test_cancel_and_try_again(hand: Hand, site: Site, known: Known) -> None:
    """Goody refuses the first request; the dialog says so, and the next one is opened."""
    page, address = hand.page, an_address()
    order_id = known("Ada", recipient_email=address)
    hand.search(address)
    expect_opened(page, order_id)
    expect(page.locator("#order-detail [data-key=c]")).to_be_visible()
    site.emulator.add_fault({"kind": "status", "status": 422}, method="POST", times=1)
    hand.press("c")
    _choose_and_cancel(hand)
    expect(page.locator("#dialog[open]")).to_contain_text("Refused by Goody")
    expect(in_dialog(page, "Close")).to_be_focused()
    hand.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()
    hand.press("c")
    _choose_and_cancel(hand)
    expect(page.locator(".toast")).to_contain_text("Canceled")
    assert site.writes(order_id) == ["cancel"]
    assert hand.counted == (7, 4)


def _choose_and_cancel(hand: Hand) -> None:
    expect(hand.page.locator("#dialog-submit")).to_be_enabled()
    hand.click(hand.page.get_by_label("Duplicate gift"))
    hand.click(hand.page.locator("#dialog-submit"))


def test_a_senders_unaccepted_gifts_of_last_month_as_a_view(hand: Hand, site: Site) -> None:
    page, name = hand.page, f"Task {uuid4().hex[:6]}"
    _index_last_months(site, site.open_order("Ada"))
    hand.click(page.get_by_role("link", name="Not accepted", exact=True))
    expect(page.locator(".views [aria-current]")).to_have_text("Not accepted")
    hand.click(page.locator(".filter", has_text=re.compile("^Created$")))
    hand.click(page.locator("#panel-created").get_by_role("link", name="Last month"))
    expect(page.locator(".filter.is-active")).to_have_count(2)
    hand.click(page.locator(".filter", has_text="Sender"))
    hand.click(page.locator("#panel-sender li a").first)
    expect(page.locator(".filter.is-active")).to_have_count(3)
    hand.click(page.locator(".save-view > summary"))
    expect(page.get_by_label("Name of the view")).to_be_focused()
    hand.type(name)
    hand.press("Enter")
    expect(page.locator(".views [aria-current]")).to_have_text(name)
    assert hand.counted == (len(name) + 1, 6)
    SavedView.objects.filter(name=name).delete()


def _index_last_months(site: Site, order_id: str) -> None:
    """Store the order in the index as one that was created last month."""
    created = timezone.now().replace(day=1) - timedelta(days=10)
    fields = site.emulator.get_order(order_id)
    fields["event_times"]["created_at"] = created.isoformat()
    index.upsert_orders([parse_order(json.encode(fields))], read_at=timezone.now())


def test_its_csv(hand: Hand, as_person: Callable[..., Page], tmp_path: Path) -> None:
    """Lists are downloaded by leads."""
    as_person("lead").goto("/orders/?status=notified&created=last-month")
    with hand.page.expect_download() as download:
        hand.click(hand.page.get_by_role("link", name="Download CSV"))
    path = tmp_path / "orders.csv"
    download.value.save_as(path)
    assert path.read_text(encoding="utf-8-sig").startswith("order_id,")
    assert hand.counted == (0, 1)


def test_a_delivered_order_that_never_arrived(hand: Hand, site: Site) -> None:
    """Carrier, number and day of the delivery are read; the text for Goody is copied."""
    order_id = site.emulator.find_order_id(status="delivered")
    hand.search(order_id)
    expect_opened(hand.page, order_id)
    expect(hand.page.get_by_role("region", name="Delivery")).to_contain_text("Delivered")
    hand.click(hand.page.get_by_role("button", name="Copy hand-off"))
    assert order_id in hand.page.evaluate("navigator.clipboard.readText()")
    assert hand.counted == (4, 1)


def test_what_happened_to_an_order(hand: Hand, known: Known) -> None:
    address = an_address()
    order_id = known("Ada", recipient_email=address)
    hand.search(address)
    expect_opened(hand.page, order_id)
    expect(hand.page.get_by_role("region", name="Timeline")).to_be_in_viewport()
    assert hand.counted == (4, 0)


def test_settings(hand: Hand, site: Site) -> None:
    """Rows of one line, by the list of commands."""
    hand.press("Control+K")
    hand.type("settings")
    hand.press("Enter")
    assert_whole_page(hand.page, "Settings")
    hand.click(hand.page.get_by_label("Compact"))
    hand.press("Enter")
    expect(hand.page.locator("html")).to_have_attribute("data-density", "compact")
    assert Profile.objects.get(user=site.person("agent")).density == "compact"
    assert hand.counted == (12, 1)
