"""The search box during and after typing, the filters, and Back from both.

With and without JavaScript, by mouse and by keyboard. The index holds every order of the emulator.
"""

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
from orders.models import SyncState
from testing.browser import BrowserLog
from testing.list_pages import complete_sync

from .moves import (
    assert_focus_is_visible,
    assert_seen,
    assert_whole_page,
    expect_filters,
    expect_listed,
    filter_link,
    first_row,
    open_filter,
    order_of,
    pager_link,
    row,
    settle,
    tab_to,
    wait_for_keys,
)
from .site import Site


@pytest.fixture(autouse=True)
def _indexed(site: Site) -> Iterator[None]:
    """Mark the first full sync as complete."""
    site.fill_index()
    complete_sync(timezone.now())
    yield
    SyncState.objects.all().delete()


def known(site: Site, name: str, **fields: object) -> str:
    """Return a new order that is in the index."""
    order_id = site.open_order(name, **fields)
    order = parse_order(json.encode(site.emulator.get_order(order_id)))
    index.upsert_orders([order], read_at=timezone.now())
    return order_id


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Find orders")


def rows(page: Page) -> Locator:
    return page.locator(".orders tbody tr")


def show(page: Page) -> None:
    page.get_by_role("button", name="Show").locator("visible=true").first.click()


# --- the box ----------------------------------------------------------------------------------


def options(page: Page) -> Locator:
    return page.locator("#box-popup [role=option]")


def active(page: Page) -> Locator:
    return page.locator("#box-popup [aria-selected=true]")


def test_options_follow_what_is_typed_and_the_box_keeps_the_caret(agent: Page, site: Site) -> None:
    name = f"Quetzal{uuid4().hex[:6]}"
    wanted = {known(site, name, recipient_last_name="Núñez") for _ in range(2)}
    agent.goto("/audit/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    expect(box(agent)).to_be_focused()
    agent.keyboard.type(name)
    expect(options(agent)).to_have_count(3)
    assert {url.split("/")[-2] for url in hrefs(options(agent))[:2]} == wanted
    expect(options(agent).last).to_have_text("All 2 orders")
    expect(box(agent)).to_have_attribute("aria-expanded", "true")
    for _ in range(4):
        agent.keyboard.press("ArrowLeft")
    agent.keyboard.type("X")
    expect(agent.locator("#box-popup")).to_contain_text("No order matches.")
    agent.keyboard.press("Backspace")
    expect(options(agent)).to_have_count(3)
    assert box(agent).evaluate("it => it.selectionStart") == len(name) - 4
    expect(agent.locator("#live")).to_contain_text("options")


def hrefs(links: Locator) -> list[str]:
    return [str(link.get_attribute("href")).partition("?")[0] for link in links.all()]


def test_arrows_walk_the_options_and_escape_leaves_them(agent: Page, site: Site) -> None:
    name = f"Walk{uuid4().hex[:6]}"
    older, newer = known(site, name), known(site, name)
    agent.goto("/audit/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.type(name)
    expect(options(agent)).to_have_count(3)
    expect(active(agent)).to_have_count(0)
    agent.keyboard.press("ArrowDown")
    assert newer in hrefs(active(agent))[0]
    expect(box(agent)).to_have_attribute("aria-activedescendant", "box-order-1")
    agent.keyboard.press("ArrowDown")
    assert older in hrefs(active(agent))[0]
    for key, text in (
        ("ArrowDown", "All 2 orders"),
        ("ArrowDown", ""),
        ("ArrowUp", "All 2 orders"),
    ):
        agent.keyboard.press(key)
        assert active(agent).all_inner_texts() == ([text] if text else [])
    agent.keyboard.press("ArrowUp")
    agent.keyboard.press("Escape")
    expect(agent.locator("#box-popup")).to_be_hidden()
    expect(box(agent)).to_have_attribute("aria-expanded", "false")
    expect(box(agent)).to_have_value(name)
    agent.keyboard.press("ArrowDown")
    expect(agent.locator("#box-popup")).to_be_visible()
    agent.keyboard.press("Escape")
    agent.keyboard.press("Escape")
    expect(box(agent)).to_have_value("")
    expect(box(agent)).to_be_focused()
    agent.keyboard.press("Escape")
    expect(box(agent)).not_to_be_focused()


def test_enter_opens_the_chosen_order_and_with_ctrl_in_a_tab(agent: Page, site: Site) -> None:
    name = f"Enter{uuid4().hex[:6]}"
    older, newer = known(site, name), known(site, name)
    agent.goto("/orders/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.type(name)
    expect(options(agent)).to_have_count(3)
    agent.keyboard.press("ArrowDown")
    with agent.context.expect_page() as opened:
        agent.keyboard.press("Control+Enter")
    expect(opened.value.locator("#order-detail")).to_have_attribute("data-order-id", newer)
    opened.value.close()
    agent.keyboard.press("ArrowDown")
    agent.keyboard.press("Enter")
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", older)


def test_enter_opens_the_only_order_even_before_the_options_come(agent: Page, site: Site) -> None:
    name = f"Only{uuid4().hex[:6]}"
    wanted = known(site, name)
    agent.goto("/orders/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.insert_text(name)
    agent.keyboard.press("Enter")
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", wanted)


def test_a_completion_is_put_into_the_box(agent: Page, site: Site) -> None:
    agent.goto("/orders/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.type("status:deliv")
    expect(options(agent).first).to_contain_text("status:delivered")
    agent.keyboard.press("ArrowDown")
    agent.keyboard.press("Enter")
    expect(box(agent)).to_have_value("status:delivered")
    agent.keyboard.press("Enter")
    expect(agent).to_have_url(re.compile(r"/orders/\?q=status%3Adelivered$"))
    expect(agent.locator("#box-popup")).to_be_hidden()


def test_a_misspelled_name_is_corrected(agent: Page, site: Site) -> None:
    known(site, "Wilhelmina", recipient_last_name="Quisling")
    agent.goto("/settings/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.type("wilhelmina quizling")
    expect(options(agent).first).to_contain_text("Did you mean Wilhelmina Quisling?")
    agent.keyboard.press("ArrowDown")
    agent.keyboard.press("Enter")
    expect(rows(agent).first).to_contain_text("Wilhelmina Quisling")


def test_enter_on_an_id_opens_the_order_and_back_leads_to_the_list(agent: Page, site: Site) -> None:
    order_id = known(site, "Ada")
    agent.goto("/orders/?status=notified")
    box(agent).fill(order_id)
    expect(options(agent)).to_have_count(1)
    expect(agent).to_have_url(re.compile(r"/orders/\?status=notified$"))
    agent.keyboard.press("Enter")
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", order_id)
    agent.go_back()
    assert_whole_page(agent, "Orders")
    expect(agent).to_have_url(re.compile(r"/orders/\?status=notified$"))


def test_enter_replaces_the_delayed_search(agent: Page, site: Site) -> None:
    order_id = known(site, "Ada")
    agent.goto("/orders/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.insert_text(order_id)
    agent.keyboard.press("Enter")
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", order_id)


def test_the_box_of_another_page_leads_to_the_list(agent: Page, site: Site) -> None:
    name = f"Xochitl{uuid4().hex[:6]}"
    wanted = [known(site, name), known(site, name)]
    agent.goto("/audit/")
    wait_for_keys(agent)
    agent.keyboard.press("/")
    agent.keyboard.type(name)
    agent.keyboard.press("Enter")
    assert_whole_page(agent, "Orders")
    expect(box(agent)).to_have_value(name)
    expect_listed(agent, *reversed(wanted))


def test_the_box_empties_with_its_filter(agent: Page, site: Site) -> None:
    """Words and operators are in the box alone; what it takes for an address has a button."""
    known(site, "Xanthippe")
    agent.goto("/orders/?q=xanthippe+status:notified&per_page=25")
    expect(rows(agent)).to_have_count(1)
    expect_filters(agent)
    agent.goto("/orders/?q=one@example.test+two@example.test&per_page=25")
    agent.get_by_role("link", name="Remove: 2 e-mail addresses").click()
    expect(box(agent)).to_have_value("")
    expect_filters(agent)
    expect(agent).to_have_url(re.compile(r"/orders/\?per_page=25$"))


def test_help_stands_beside_the_box(agent: Page) -> None:
    agent.goto("/orders/")
    agent.get_by_role("link", name="How to search").click()
    expect(agent.locator("#panel-help")).to_be_visible()
    expect(agent.locator("#panel-help")).to_contain_text("-status:delivered")
    agent.keyboard.press("Escape")
    expect(agent.locator("#panel-help")).to_be_hidden()


# --- filters ----------------------------------------------------------------------------------


def test_statuses_are_ticked_and_each_goes_by_itself(agent: Page, site: Site) -> None:
    agent.goto("/orders/?per_page=25")
    open_filter(agent, "Status")
    expect(agent.locator("#n-status-opened")).to_have_text(re.compile(r"\d+"))
    for name in ("Opened", "Delivered"):
        agent.get_by_label(re.compile(f"^{name}")).check()
    show(agent)
    expect_filters(agent, "Status: opened, delivered")
    expect(agent).to_have_url(re.compile(r"/orders/\?status=opened&status=delivered&per_page=25$"))
    statuses = rows(agent).evaluate_all("all => [...new Set(all.map(it => it.dataset.status))]")
    assert set(statuses) == {"opened", "delivered"}
    open_filter(agent, "Status")
    agent.get_by_label(re.compile("^Delivered")).uncheck()
    show(agent)
    expect_filters(agent, "Status: opened")
    agent.get_by_role("link", name="Remove: Status: opened").click()
    expect_filters(agent)
    agent.go_back()
    expect_filters(agent, "Status: opened")


def test_a_sender_is_found_by_a_part_of_the_name(agent: Page, site: Site) -> None:
    agent.goto("/orders/")
    open_filter(agent, "Sender")
    field = agent.get_by_label("Sender", exact=True)
    field.fill("a")
    options = agent.locator("#sender-names option")
    expect(options.first).to_be_attached()
    expect(agent.locator("#top-sender a").first).to_be_visible()
    name, key = options.first.inner_text(), str(options.first.get_attribute("value"))
    field.fill(key)
    show(agent)
    expect_filters(agent, f"Sender: {name}")


def test_filters_by_keyboard_alone(agent: Page) -> None:
    agent.goto("/orders/")
    tab_to(agent, filter_link(agent, "Status"))
    agent.keyboard.press("Enter")
    expect(agent.locator("[name=status]").first).to_be_focused()
    tab_to(agent, agent.get_by_label(re.compile("^Opened")))
    agent.keyboard.press("Space")
    agent.keyboard.press("Escape")
    expect(agent.locator(".filter-panel:popover-open")).to_have_count(0)
    assert_focus_is_visible(agent)
    agent.keyboard.press("Enter")
    expect(agent.locator("[name=status]").first).to_be_focused()
    tab_to(agent, agent.locator("#panel-status button"))
    agent.keyboard.press("Enter")
    expect_filters(agent, "Status: opened")
    expect(agent.locator("#results")).to_be_focused()
    tab_to(agent, agent.locator("thead a", has_text="Amount"))
    agent.keyboard.press("Enter")
    expect(agent.locator("th[aria-sort=descending]")).to_have_text("Amount")
    expect(agent.locator("thead a", has_text="Amount")).to_be_focused()
    agent.keyboard.press("Enter")
    expect(agent.locator("th[aria-sort=ascending]")).to_have_text("Amount")


def test_an_empty_list_offers_what_brings_orders(agent: Page, site: Site) -> None:
    """It does not offer to remove one of several statuses, which can only narrow the list."""
    name = f"Z{uuid4().hex[:8]}"
    known(site, name)
    known(site, name)
    agent.goto(f"/orders/?q={name}&status=paid&status=shipped&status=delivered")
    remedies = agent.locator(".empty a")
    expect(remedies).to_have_text(
        [
            re.compile(r"Without “.*” \([\d,+]+ orders?\)"),
            "Without Status (2 orders)",
            re.compile(r"All orders \([\d,+]+ orders\)"),
        ]
    )
    remedies.nth(1).click()
    expect(rows(agent)).to_have_count(2)


def test_a_click_elsewhere_folds_the_filters(agent: Page) -> None:
    agent.goto("/orders/")
    opened = agent.locator(".filter-panel:popover-open")
    open_filter(agent, "Status")
    open_filter(agent, "More")
    expect(opened).to_have_id("panel-more")
    agent.get_by_label(re.compile("^Not swapped")).check()
    expect(opened).to_have_count(1)
    agent.locator("h1").click()
    expect(opened).to_have_count(0)
    open_filter(agent, "More")
    filter_link(agent, "More").click()
    expect(opened).to_have_count(0)


# --- Back -------------------------------------------------------------------------------------


def test_back_from_an_order_to_the_same_page_scroll_and_row(agent: Page, site: Site) -> None:
    site.emulator.create_orders(count=40, expires_at=None)
    site.fill_index()
    agent.goto("/orders/")
    open_filter(agent, "Expires")
    agent.get_by_role("link", name="No expiry").click()
    expect_filters(agent, "Expires: no expiry")
    agent.get_by_role("link", name="25", exact=True).click()
    expect(agent.locator(".pager")).to_contain_text("1–25 of")
    pager_link(agent, "Next").click()
    expect(agent.locator(".pager")).to_contain_text("26–")
    opened = rows(agent).nth(12)
    order_id = order_of(opened)
    first, link = first_row(agent), opened.locator("th a")
    link.scroll_into_view_if_needed()
    scrolled, url = agent.evaluate("scrollY"), agent.url
    link.click()
    expect(agent.locator("#order-detail")).to_have_attribute("data-order-id", order_id)
    agent.go_back()
    assert_whole_page(agent, "Orders")
    expect(agent).to_have_url(f"{url}#order-{order_id}")
    assert first_row(agent) == first
    expect(row(agent, order_id).locator("th a")).to_be_focused()
    expect(row(agent, order_id)).to_be_in_viewport()
    assert abs(agent.evaluate("scrollY") - scrolled) < 40
    pager_link(agent, "Previous").click()
    expect(agent.locator(".pager")).to_contain_text("1–25 of")


@pytest.mark.own_context
def test_changes_are_announced_and_shown_only_on_request(agent: Page, site: Site) -> None:
    agent.clock.install()
    agent.goto("/orders/")
    before = first_row(agent)
    newest = known(site, "Zenobia")
    settle(agent)
    agent.clock.fast_forward("01:05")
    expect(agent.locator("#changes")).to_contain_text("1 new")
    assert first_row(agent) == before
    agent.locator("#changes").get_by_role("link", name="Show").click()
    expect(row(agent, newest)).to_be_visible()
    expect(agent.locator("#changes")).to_be_empty()


@pytest.mark.own_context
@pytest.mark.parametrize("width", [1280, 800, 400])
def test_nothing_moves_when_changes_appear(agent: Page, site: Site, width: int) -> None:
    agent.set_viewport_size({"width": width, "height": 800})
    agent.clock.install()
    agent.goto("/orders/?per_page=25")
    settle(agent)
    places = [agent.locator(one) for one in (".filter-bar", "table", "[data-refresh]", "h1")]
    before = [place.bounding_box() for place in places]
    for _ in range(3):
        known(site, "Zenobia")
    agent.clock.fast_forward("01:05")
    expect(agent.locator("#changes")).to_contain_text("3 new – Show")
    assert [place.bounding_box() for place in places] == before
    assert_seen(agent.locator("#changes a"))


@pytest.mark.parametrize("has_javascript", [True, False], ids=["with", "without JavaScript"])
def test_a_narrow_list_is_sorted_without_a_head(
    request: pytest.FixtureRequest, page: Page, site: Site, has_javascript: bool
) -> None:
    page = page if has_javascript else request.getfixturevalue("without_javascript")
    site.log_in(page.context, site.person("agent"))
    page.goto("/orders/?status=opened")
    page.set_viewport_size({"width": 600, "height": 800})
    expect(page.locator("thead")).to_be_hidden()
    open_filter(page, "Newest first")
    expect(page.locator("#panel-sort [aria-current]")).to_have_text("Newest first")
    page.get_by_role("link", name="Recipients from A to Z", exact=True).click()
    expect(page).to_have_url(re.compile(r"/orders/\?.*sort=recipient"))
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Recipient")
    expect_filters(page, "Status: opened")
    expect(filter_link(page, "Recipients from A to Z")).to_be_visible()
    names = page.locator("tbody th a").all_inner_texts()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Recipient")
    assert page.locator("tbody th a").all_inner_texts() == names
    assert len(names) > 20


@pytest.mark.own_context
def test_the_age_of_the_index_is_renewed_and_leaves_what_went_wrong(
    page: Page, site: Site, watch: BrowserLog
) -> None:
    watch.expected.add(403)
    user = site.person("agent")
    site.log_in(page.context, user)
    page.clock.install()
    page.goto("/orders/")
    settle(page)
    groups = list(user.groups.all())
    user.groups.clear()
    page.locator("[data-refresh]").click()
    expect(page.locator("#problem")).to_contain_text("Your account has no role yet")
    user.groups.set(groups)
    now = timezone.now()
    complete_sync(now, synced_at=now - timedelta(hours=2))
    page.clock.fast_forward("01:05")
    expect(page.locator("#sync-status")).to_have_text("synced 2 h ago")
    expect(page.locator("#problem")).to_contain_text("Your account has no role yet")
    page.locator("[data-refresh]").click()
    expect(page.locator("#problem")).to_be_empty()


# --- without JavaScript -----------------------------------------------------------------------


def test_everything_without_javascript(without_javascript: Page, site: Site) -> None:
    page = without_javascript
    site.log_in(page.context, site.person("agent"))
    order_id = known(site, "Nefertari")
    page.goto("/audit/")
    box(page).fill("nefertari")
    box(page).press("Enter")
    assert_whole_page(page, "Orders")
    expect(rows(page)).to_have_count(1)
    open_filter(page, "Status")
    page.get_by_label(re.compile("^Delivered")).check()
    show(page)
    looked_for = "Looked for: “nefertari”; Status: delivered."
    expect(page.locator(".empty")).to_contain_text(looked_for)
    page.get_by_role("link", name="Without Status: delivered (1 order)", exact=True).click()
    expect(rows(page)).to_have_count(1)
    expect_filters(page)
    page.goto("/orders/")
    pager_link(page, "Next").click()
    expect(page.locator(".pager")).to_contain_text("51–100 of")
    page.get_by_role("link", name="Recipient", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Recipient")
    expect(page.locator(".pager")).to_contain_text("1–50 of")
    box(page).fill(order_id)
    box(page).press("Enter")
    expect(page.locator("#order-detail")).to_have_attribute("data-order-id", order_id)
    page.go_back()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Recipient")


@pytest.mark.parametrize("is_scripted", [True, False], ids=["with JavaScript", "without"])
def test_orders_of_a_person_with_that_name_come_first_by_default(
    request: pytest.FixtureRequest, site: Site, *, is_scripted: bool
) -> None:
    page: Page = request.getfixturevalue("agent" if is_scripted else "without_javascript")
    if not is_scripted:
        site.log_in(page.context, site.person("agent"))
    name = f"Z{uuid4().hex[:8]}"
    exact = known(site, "Quirina", recipient_last_name=name)
    longer = known(site, "Anna-Quirina", recipient_last_name=f"{name}stein")
    page.goto("/orders/")
    box(page).fill(f"{name}, Quirina")
    box(page).press("Enter")
    expect_listed(page, exact, longer)
    expect(filter_link(page, "Best match first")).to_be_visible()
    page.get_by_role("link", name="Created", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Created")
    expect_listed(page, longer, exact)
    open_filter(page, "Newest first")
    page.get_by_role("link", name="Best match first").click()
    expect(page.locator("th[aria-sort]")).to_have_count(0)
    expect_listed(page, exact, longer)
