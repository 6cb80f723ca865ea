"""While Goody does not answer, the page keeps the known data of an order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from msgspec import json
from playwright.sync_api import Page, expect

from orders import index
from orders.models import CreationTimeSource, SyncState
from testing.browser import BrowserLog
from testing.list_pages import complete_sync

from .moves import in_dialog, row, row_action
from .site import Site


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    complete_sync(timezone.now())
    yield
    SyncState.objects.all().delete()


def listed(site: Site) -> tuple[str, datetime]:
    """Return an order known from a list, with the creation time of the activity feed."""
    order_id = site.open_order("Nadia", status="opened")
    raw = {**site.emulator.get_order(order_id), "event_times": None}
    created = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    known = index.CreationTime(created, CreationTimeSource.FEED)
    index.upsert_rows([index.OrderOfResponse(json.encode(raw), known)], read_at=timezone.now())
    return order_id, created


def interrupt(site: Site, order_id: str) -> None:
    site.emulator.add_fault({"kind": "status", "status": 500}, path=f"/v1/orders/{order_id}")


def test_a_row_keeps_its_creation_date(agent: Page, site: Site, watch: BrowserLog) -> None:
    order_id, _ = listed(site)
    agent.goto("/orders/")
    cells = row(agent, order_id).locator("td:not(.actions), th")
    before = cells.all_inner_texts()
    assert re.fullmatch(r"\d+ \w+", before[-1])
    interrupt(site, order_id)
    row_action(agent, order_id, "c").click()
    agent.locator("#dialog #id_note").fill("typed before the read failed")
    expect(in_dialog(agent, "Read again")).to_be_visible()
    expect(in_dialog(agent, "Cancel gift")).to_be_disabled()
    expect(agent.locator("#dialog #id_note")).to_have_value("typed before the read failed")
    site.emulator.clear_faults()
    in_dialog(agent, "Read again").click()
    expect(in_dialog(agent, "Cancel gift")).to_be_enabled()
    expect(in_dialog(agent, "Read again")).to_be_hidden()
    expect(agent.locator("#dialog #id_note")).to_have_value("typed before the read failed")
    in_dialog(agent, "Keep gift").click()
    expect(agent.locator("#dialog")).to_be_hidden()
    assert cells.all_inner_texts() == before


def test_an_order_shows_when_it_was_created_and_skips_no_step(agent: Page, site: Site) -> None:
    order_id, created = listed(site)
    interrupt(site, order_id)
    agent.goto(f"/orders/{order_id}/")
    expect(agent.get_by_role("alert")).to_contain_text("This is our copy")
    steps = agent.locator(".step")
    iso = created.isoformat().replace("+00:00", "Z")
    expect(steps.nth(0).locator("time")).to_have_attribute("datetime", iso)
    expect(steps.nth(1)).to_have_text(re.compile("Notified.*time unknown"))
    expect(steps.nth(2)).to_have_text(re.compile("Opened.*now"))
    expect(agent.locator(".steps")).not_to_contain_text("skipped")
