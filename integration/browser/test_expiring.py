"""The page of expiring gifts: reached by keys, its bars and rows lead to their lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from orders.models import SyncState
from testing.list_pages import complete_sync

from .moves import assert_whole_page, wait_for_keys
from .site import Site


@pytest.fixture(autouse=True)
def _gifts(site: Site) -> Iterator[None]:
    """Gifts on three days before and three after now, some of them without an amount."""
    complete_sync(timezone.now())
    for days in (-9, -2, -1, 1, 2, 6):
        at = (timezone.now() + timedelta(days=days)).isoformat()
        for amounts in (None, {"amount_pre_tax_total": 4400}):
            sender = {"first_name": "Zoë", "last_name": "long" * 20, "email": "zoe@sender.test"}
            site.known_order("Soon", expires_at=at, amounts=amounts, sender=sender)
    yield
    SyncState.objects.all().delete()


def test_bars_and_rows_lead_to_their_lists(agent: Page) -> None:
    agent.goto("/orders/")
    wait_for_keys(agent)
    agent.keyboard.press("g")
    agent.keyboard.press("x")
    assert_whole_page(agent, "Expiring")
    bar = agent.locator(".chart__day").last
    gifts = re.search(r": ([\d,]+) gift", bar.locator("title").text_content() or "")
    assert gifts
    bar.locator(".chart__hit").click()
    assert_whole_page(agent, "Orders")
    expect(agent.locator("#results")).to_contain_text(f"{gifts[1]} of ")
    agent.go_back()
    tabs = agent.locator(".expiring__tabs")
    tabs.get_by_role("link", name="Expired").focus()
    agent.keyboard.press("Enter")
    expect(tabs.locator("[aria-current]")).to_have_text("Expired")
    sender = agent.locator("#senders").get_by_role("row", name="Zoë")
    number = sender.get_by_role("cell").first.inner_text()
    sender.get_by_role("link").focus()
    agent.keyboard.press("Enter")
    assert_whole_page(agent, "Orders")
    expect(agent.locator("#results")).to_contain_text(f"{number} of ")
