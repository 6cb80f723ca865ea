"""Answers that are not the dashboard's, from a proxy or a portal in between: no part of the page is
replaced by them, a banner says what was requested and what to do, and polls continue.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from orders.models import SyncState
from testing.browser import BrowserLog
from testing.list_pages import complete_sync
from testing.proxy import Proxy, proxy_of

from .moves import (
    assert_whole_page,
    chip,
    first_row,
    in_dialog,
    open_filter,
    pager_link,
    row,
    row_action,
    settle,
    submit_button,
)
from .site import Site
from .test_dialogs import choose_reason, lose_the_answer

LIST = "/orders/?per_page=25"


@pytest.fixture(scope="module")
def _proxy(_site: Site) -> Iterator[Proxy]:
    """One proxy for all tests, so that the browser's cache keeps the static files of its origin."""
    with proxy_of(_site.url) as between:
        yield between


@pytest.fixture(autouse=True)
def proxy(_proxy: Proxy, watch: BrowserLog) -> Iterator[Proxy]:
    """The proxy between browser and dashboard."""
    watch.url = _proxy.url
    watch.expected.add(502)
    yield _proxy
    _proxy.pass_through()


def banner(page: Page, place: str = "#problem") -> Locator:
    return page.locator(f"{place} .banner")


@pytest.mark.parametrize("status", [502, 200])
def test_the_list_stays(agent: Page, proxy: Proxy, status: int) -> None:
    agent.goto(proxy.url + LIST)
    first = first_row(agent)
    proxy.answer("/orders/", status=status)
    pager_link(agent, "Next").click()
    expect(banner(agent)).to_contain_text("not from the dashboard")
    expect(banner(agent)).to_contain_text("Requested: Next")
    expect(agent.locator("#portal")).to_have_count(0)
    assert first_row(agent) == first
    expect(agent).to_have_url(proxy.url + LIST)
    proxy.pass_through()
    pager_link(agent, "Next").click()
    expect(agent.locator(".pager")).to_contain_text("Page 2 of")
    expect(banner(agent)).to_have_count(0)


def test_a_dialog_does_not_open_on_a_page_of_somebody_else(
    agent: Page, site: Site, proxy: Proxy
) -> None:
    order_id = site.open_order()
    agent.goto(proxy.url + LIST)
    proxy.answer("/cancel/")
    row_action(agent, order_id, "c").click()
    expect(banner(agent, "#dialog[open]")).to_contain_text("Requested: Cancel…")
    expect(banner(agent, "#dialog")).to_contain_text("What is shown is unchanged.")
    expect(agent.locator("#portal")).to_have_count(0)
    in_dialog(agent, "Close").click()
    expect(row_action(agent, order_id, "c")).to_be_focused()
    proxy.pass_through()
    row_action(agent, order_id, "c").click()
    expect(in_dialog(agent, "Keep gift")).to_be_focused()


@pytest.mark.parametrize("status", [502, 200])
def test_a_submitted_dialog_keeps_what_was_typed(
    agent: Page, site: Site, proxy: Proxy, status: int
) -> None:
    """The form can be submitted again and takes effect once."""
    order_id = site.open_order()
    agent.goto(f"{proxy.url}/orders/{order_id}/")
    agent.get_by_role("link", name="Cancel gift…").click()
    choose_reason(agent)
    agent.get_by_role("textbox", name="Note").fill("Sent twice")
    proxy.answer("/cancel/", method="POST", status=status)
    in_dialog(agent, "Cancel gift").click()
    expect(banner(agent, "#dialog")).to_contain_text("Requested: Cancel gift")
    expect(banner(agent, "#dialog")).to_contain_text("carried out only once")
    expect(agent.get_by_role("textbox", name="Note")).to_have_value("Sent twice")
    assert site.emulator.posts() == 0
    proxy.pass_through()
    in_dialog(agent, "Cancel gift").click()
    expect(agent.locator("#order-detail")).to_have_attribute("data-status", "failed")
    assert site.writes(order_id) == ["cancel"]


@pytest.mark.own_context
@pytest.mark.parametrize("place", ["row", "detail", "operation"])
def test_an_outcome_is_still_asked_for(agent: Page, site: Site, proxy: Proxy, place: str) -> None:
    agent.clock.install()
    order_id = site.open_order()
    lose_the_answer(site, order_id, "cancel")
    agent.goto(proxy.url + (LIST if place == "row" else f"/orders/{order_id}/"))
    part = row(agent, order_id) if place == "row" else agent.locator("#order-detail")
    part.locator('[href*="/cancel/"]').first.click()
    choose_reason(agent)
    in_dialog(agent, "Cancel gift").click()
    expect(part).to_contain_text("Outcome being checked")
    if place == "operation":
        agent.get_by_role("link", name="See how it stands").click()
        part = agent.locator("#operation")
        expect(part).to_contain_text("Outcome being checked")
    proxy.answer(order_id, status=502)
    agent.clock.run_for(2_500)
    expect(banner(agent)).to_contain_text("Requested: the outcome")
    expect(part).to_contain_text("Outcome being checked")
    proxy.pass_through()
    site.start_worker()
    agent.clock.run_for(2_500)
    expect(banner(agent)).to_have_count(0)
    expect(part.locator("text=Canceled").first).to_be_visible(timeout=15_000)


@pytest.mark.own_context
def test_the_top_bar_stays(agent: Page, proxy: Proxy) -> None:
    now = timezone.now()
    complete_sync(now)
    agent.clock.install()
    agent.goto(proxy.url + LIST)
    settle(agent)
    said = agent.locator("#sync-status").inner_text()
    proxy.answer("/sync-status/", status=502)
    agent.clock.fast_forward("01:05")
    expect(banner(agent)).to_contain_text("Requested: the age of the index")
    expect(agent.locator("#sync-status")).to_have_text(said)
    proxy.pass_through()
    complete_sync(now, synced_at=now - timedelta(hours=2))
    settle(agent)
    agent.clock.fast_forward("01:05")
    expect(agent.locator("#sync-status")).to_have_text("synced 2 h ago")
    expect(banner(agent)).to_have_count(0)
    SyncState.objects.all().delete()


@pytest.mark.own_context
def test_a_dialog_waits_for_the_answer_of_goody(agent: Page, site: Site, proxy: Proxy) -> None:
    """Text typed meanwhile is kept, and the form can be submitted as soon as Goody has answered."""
    agent.clock.install()
    order_id = site.open_order()
    agent.goto(f"{proxy.url}/orders/{order_id}/")
    expect(agent.locator("#order-detail")).to_be_visible()
    proxy.answer("read=", status=502)
    agent.get_by_role("link", name="Cancel gift…").click()
    choose_reason(agent)
    agent.get_by_role("textbox", name="Note").fill("Sent twice")
    expect(banner(agent, "#dialog")).to_contain_text("Requested: Goody’s answer")
    expect(in_dialog(agent, "Cancel gift")).to_be_disabled()
    proxy.pass_through()
    agent.clock.run_for(5_500)
    expect(in_dialog(agent, "Cancel gift")).to_be_enabled()
    expect(banner(agent, "#dialog")).to_have_count(0)
    expect(agent.get_by_role("textbox", name="Note")).to_have_value("Sent twice")
    in_dialog(agent, "Cancel gift").click()
    expect(agent.locator("#order-detail")).to_have_attribute("data-status", "failed")


def test_back_leaves_the_page_that_is_shown(agent: Page, proxy: Proxy) -> None:
    agent.goto(proxy.url + LIST)
    pager_link(agent, "Next").click()
    expect(agent.locator(".pager")).to_contain_text("Page 2 of")
    proxy.answer("/orders/")
    agent.go_back()
    expect(banner(agent)).to_contain_text("Requested: the previous page")
    assert_whole_page(agent, "Orders")
    expect(agent.locator(".pager")).to_contain_text("Page 2 of")


@pytest.mark.own_context
def test_dialog_shows_a_missing_answer(
    agent: Page, site: Site, proxy: Proxy, watch: BrowserLog
) -> None:
    watch.expected_texts |= {"ERR_INTERNET_DISCONNECTED", "Failed to fetch"}
    order_id = site.open_order()
    agent.goto(f"{proxy.url}/orders/{order_id}/")
    agent.get_by_role("link", name="Extend…").click()
    chip(agent, "+14").click()
    agent.context.set_offline(True)
    submit_button(agent).click()
    expect(banner(agent, "#dialog")).to_contain_text("The dashboard did not answer")
    expect(banner(agent, "#dialog")).to_contain_text("Requested: the new expiration")
    expect(chip(agent, "+14").locator("input")).to_be_checked()
    agent.context.set_offline(False)
    submit_button(agent).click()
    expect(agent.locator(".toast")).to_contain_text("Expiration changed")
    assert site.writes(order_id) == ["update_expiration"]


def test_the_names_of_the_filters_need_no_counts(agent: Page, site: Site, proxy: Proxy) -> None:
    site.fill_index()
    complete_sync(timezone.now())
    proxy.answer("/orders/facets/", status=502)
    agent.goto(f"{proxy.url}/orders/")
    open_filter(agent, "Sender")
    expect(banner(agent)).to_contain_text("Requested: the counts of the filters")
    name = agent.locator("#top-sender a").first
    said = name.inner_text().split("\n")[0]
    name.click()
    expect(agent.locator(".filter.is-active")).to_contain_text(f"Sender: {said}")
    SyncState.objects.all().delete()


def test_names_for_a_focused_field_keep_the_banner(agent: Page, site: Site, proxy: Proxy) -> None:
    """The script focuses the field of an opened panel: nobody has read the banner for that."""
    site.fill_index()
    proxy.answer("/orders/facets/", status=502)
    agent.goto(f"{proxy.url}/orders/")
    open_filter(agent, "Batch")
    expect(banner(agent)).to_contain_text("Requested: the counts of the filters")
    agent.keyboard.press("Escape")
    open_filter(agent, "Workspace")
    expect(agent.locator("#workspace-names option").first).to_be_attached()
    assert banner(agent).count() == 1
