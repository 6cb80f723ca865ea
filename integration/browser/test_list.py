"""The list of orders: what fits into a screen, how light it is, its views and its columns."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from statistics import mean

import msgspec
import pytest
from django.utils import timezone
from playwright.sync_api import Page, Response, expect

from goody.types import parse_order
from orders import index
from orders.models import Profile, SyncState
from testing.list_pages import complete_sync

from .moves import expect_filters, pager_link, row, row_action, wait_for_keys
from .site import Site

type Become = Callable[..., Page]

_ROWS_IN_SIGHT = """() => [...document.querySelectorAll(".orders tbody tr")].filter(
  it => it.getBoundingClientRect().bottom <= innerHeight).length"""
_HEADS = "() => [...document.querySelectorAll('.orders thead th')].map(it => it.textContent)"


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    """An index whose newest 60 orders are open or delivered, completely synchronized."""
    for status in ("notified", "delivered", "opened", "shipped"):
        site.emulator.create_orders(count=15, status=status)
    raw = [msgspec.json.encode(one) for one in site.emulator.all_orders().values()]
    index.upsert_orders([parse_order(one) for one in raw], read_at=timezone.now())
    complete_sync(timezone.now())
    yield
    SyncState.objects.all().delete()


@pytest.mark.parametrize(("density", "least"), [("regular", 15), ("compact", 20)])
def test_rows_in_the_first_screen(as_person: Become, density: str, least: int) -> None:
    page = as_person("agent", f"dense-{density}", density=density)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/orders/")
    assert page.evaluate(_ROWS_IN_SIGHT) >= least


def test_the_first_row_is_in_the_first_screen_of_a_small_phone(agent: Page) -> None:
    agent.set_viewport_size({"width": 320, "height": 568})
    agent.goto("/orders/?status=notified")
    first = agent.locator(".orders tbody tr").first
    expect(first).to_be_in_viewport(ratio=1)
    expect(agent.get_by_role("link", name="Filters 1")).to_be_visible()
    expect(agent.locator(".filter")).to_have_count(7)
    assert not agent.locator(".filter").first.is_visible()


# The rows of a lead have checkboxes.
@pytest.mark.parametrize("role", ["agent", "lead"])
def test_a_page_of_fifty_rows_is_light(as_person: Become, role: str) -> None:
    """What rows share is not repeated in them. Texts of the orders do not count as markup."""
    reader = as_person(role)
    reader.goto("/orders/")
    rows = reader.locator(".orders tbody tr").evaluate_all("all => all.map(it => it.outerHTML)")
    assert len(rows) == 50
    markup = [sum(map(len, re.findall(r"<[^>]*>", one))) for one in rows]
    assert mean(markup) <= 700
    assert role == "lead" or max(markup) <= 700
    assert reader.locator(".orders tbody [hx-get]").count() == 0
    assert reader.evaluate("document.querySelectorAll('*').length") <= 1_100


@pytest.mark.parametrize("role", ["agent", "lead"])
def test_a_page_turn_is_one_request_under_10_kb(as_person: Become, role: str) -> None:
    reader = as_person(role)
    reader.goto("/orders/")
    expect(reader.locator("#tab-counts")).to_have_count(0)
    wait_for_keys(reader)
    answers: list[Response] = []
    reader.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a method has no dict
    pager_link(reader, "Next").click()
    expect(reader.locator(".pager")).to_contain_text("51–")
    reader.wait_for_timeout(500)
    (answer,) = [one for one in answers if "/static/" not in one.url]
    assert len(gzip.compress(answer.body())) < 10_000


def test_a_click_with_a_modifier_opens_a_tab(agent: Page) -> None:
    agent.goto("/orders/")
    for link in (agent.locator(".views .tabs a").nth(2), agent.locator(".orders .sender a").first):
        with agent.context.expect_page() as opened:
            link.click(modifiers=["ControlOrMeta"])
        expect(opened.value).to_have_url(re.compile(r"/orders/\?(expires|sender)="))
        expect(agent).to_have_url(re.compile(r"/orders/$"))


def test_presets_are_tabs_and_their_dates_stay_relative(agent: Page) -> None:
    agent.goto("/orders/")
    agent.get_by_role("link", name="This month").click()
    expect(agent).to_have_url(re.compile(r"/orders/\?created=this-month$"))
    expect(agent.locator(".views [aria-current]")).to_have_text("This month")
    expect_filters(agent, "Created: this month")
    expect(agent).to_have_title(re.compile(r"^Orders: This month \([\d,+]+\) – Goody Admin"))
    agent.go_back()
    expect(agent.locator(".views [aria-current]")).to_have_text("All")


def test_a_row_links_to_its_sender_and_batch(agent: Page) -> None:
    agent.goto("/orders/")
    sender = agent.locator(".orders .sender a").first
    name = sender.inner_text()
    sender.click()
    expect(agent.locator(".filter.is-active")).to_contain_text(f"Sender: {name}")
    batch = agent.locator(".orders .batch a").first
    said = batch.inner_text()
    batch.click()
    expect_filters(agent, re.compile(f"^Batch: {said}"))


def test_the_list_is_where_an_order_leads_back_to(agent: Page, site: Site) -> None:
    agent.goto("/orders/?status=notified&sort=recipient")
    link = agent.locator(".orders tbody th a").nth(2)
    there = link.evaluate("it => it.closest('tr').id")
    link.click()
    expect(agent.locator(".neighbors")).to_contain_text("3 of ")
    agent.locator(".neighbors").get_by_role("link", name="Next").click()
    expect(agent.locator(".neighbors")).to_contain_text("4 of ")
    assert "next=" in agent.url
    agent.go_back()
    expect(agent.locator(".neighbors")).to_contain_text("3 of ")
    wait_for_keys(agent)
    agent.go_back()
    expect(agent).to_have_url(re.compile(rf"\?status=notified&sort=recipient#{there}$"))


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def someone(request: pytest.FixtureRequest, site: Site) -> Page:
    if request.param == "with JavaScript":
        page: Page = request.getfixturevalue("as_person")("agent", "column-chooser")
    else:
        page = request.getfixturevalue("without_javascript")
        site.log_in(page.context, request.getfixturevalue("person")("agent"), columns="")
    return page


def test_columns_are_chosen_ordered_and_kept(someone: Page) -> None:
    page = someone
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/orders/?status=notified")
    heads = ["Recipient", "Gift", "Status", "Expires", "Amount", "Sender", "Batch", "Created"]
    assert page.evaluate(_HEADS) == [*heads, "Actions"]
    page.get_by_role("link", name="Columns").click()
    page.get_by_label("Receipt", exact=True).check()
    page.get_by_label("Batch", exact=True).uncheck()
    page.get_by_role("button", name="Move Receipt up").click()
    page.get_by_role("button", name="Move Gift down").click()
    page.locator("#panel-columns .button--primary").click()
    expect(page).to_have_url(re.compile(r"/orders/\?status=notified$"))
    wanted = ["Recipient", "Status", "Gift", "Expires", "Amount", "Sender", "Created", "Receipt"]
    assert page.evaluate(_HEADS) == [*wanted, "Actions"]
    page.goto("/orders/")
    assert page.evaluate(_HEADS) == [*wanted, "Actions"]
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("button", name="Default columns").click()
    expect(page.locator(".orders th.batch")).to_have_count(1)
    assert page.evaluate(_HEADS) == [*heads, "Actions"]


def test_a_row_keeps_its_columns_after_a_write(agent: Page, site: Site) -> None:
    order_id = site.open_order("Zita")
    Profile.objects.update(columns="recipient,receipt,status")
    raw = msgspec.json.encode(site.emulator.get_order(order_id))
    index.upsert_orders([parse_order(raw)], read_at=timezone.now())
    agent.goto("/orders/")
    row_action(agent, order_id, "c").click()
    agent.locator("#dialog select, #dialog [name=reason]").first.wait_for()
    agent.locator("#dialog [name=reason]").first.check()
    agent.get_by_role("button", name="Cancel gift", exact=True).click()
    expect(row(agent, order_id)).to_have_attribute("data-status", "failed")
    cells = row(agent, order_id).locator("td").evaluate_all("all => all.map(it => it.className)")
    assert cells == ["receipt", "status", "actions"]
