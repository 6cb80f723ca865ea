"""The browser reports copies of links and the opening of raw JSON to the server."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from orders.models import OrderAccess
from testing.processes import wait_for

from .site import Site


def kinds(order_id: str) -> list[str]:
    rows = OrderAccess.objects.filter(order_uuid=order_id).order_by("id")
    return list(rows.values_list("kind", flat=True))


def test_unfolding_and_copying_are_recorded(
    site: Site, context: BrowserContext, as_person: Callable[..., Page]
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    order_id = site.emulator.find_order_id(status="opened")
    page = as_person("admin")
    page.goto(f"/orders/{order_id}/")
    page.reload()
    OrderAccess.objects.all().delete()
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Raw JSON").click()
    expect(page.locator("#raw-json")).to_be_in_viewport()
    wait_for(lambda: kinds(order_id) == ["raw"], what="the record of the raw JSON")
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Copy gift link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    wait_for(lambda: kinds(order_id) == ["raw", "gift_link"], what="the record of the link")
