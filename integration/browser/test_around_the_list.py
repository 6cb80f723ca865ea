"""Pasted tickets, saved views, the download, and the neighbors of an order in its list.

With JavaScript and without, except for what only a script can do.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote_plus
from uuid import uuid4

import msgspec
import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from goody.types import parse_order
from orders import index
from orders.models import SyncState
from orders.search.parse import OPERATORS
from testing.browser import BrowserLog
from testing.list_pages import complete_sync
from testing.users import make_user

from .moves import (
    assert_whole_page,
    expect_filters,
    expect_listed,
    order_of,
    row,
    wait_for_keys,
)
from .site import Site

type Become = Callable[[str], Page]


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def someone(request: pytest.FixtureRequest, site: Site) -> Become:
    """someone("agent") -> a page, logged in as a user with that role."""

    def become(role: str) -> Page:
        if request.param == "with JavaScript":
            page: Page = request.getfixturevalue("as_person")(role)
            return page
        page = request.getfixturevalue("without_javascript")
        site.log_in(page.context, make_user(role))
        return page

    return become


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    """Mark the first full sync as complete."""
    complete_sync(timezone.now())
    yield
    SyncState.objects.all().delete()


def indexed(site: Site, count: int, **fields: str) -> tuple[str, list[str]]:
    """A name that nobody else has, and as many fresh orders of it that the index knows, the newest
    first, since nobody is called so and no more."""
    name = f"Q{uuid4().hex[:10]}"
    fields = {"recipient_last_name": "Okafor", **fields}
    ids = [site.open_order(name, **fields) for _ in range(count)]
    orders = [parse_order(msgspec.json.encode(site.emulator.get_order(one))) for one in ids]
    index.upsert_orders(orders, read_at=timezone.now())
    return name, ids[::-1]


def listed(page: Page) -> list[str]:
    rows = page.locator(".orders tbody tr")
    return [order_of(one) for one in rows.all()]


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Find orders")


# --- a ticket -----------------------------------------------------------------------------------


def expect_finding(page: Page, title: str, orders: list[str]) -> None:
    page.wait_for_url("**/orders/find/*/")
    assert_whole_page(page, "Ticket")
    expect(page.locator(".page-head")).to_contain_text(title)
    assert {order_of(one) for one in page.locator("tr[data-order-id]").all()} == set(orders)


def test_a_ticket_is_pasted_into_the_box(agent: Page, site: Site) -> None:
    """The ticket is posted, so that no URL contains its text."""
    _, ids = indexed(site, 2)
    ticket = f"Hello,\nwhere are {ids[0]}\n{ids[1]} and that of no.one@example.test?\n"
    agent.context.grant_permissions(["clipboard-read", "clipboard-write"])
    agent.goto("/audit/")
    agent.evaluate("text => navigator.clipboard.writeText(text)", ticket)
    agent.keyboard.press("/")
    agent.keyboard.press("Control+V")
    expect_finding(agent, "2 of 3 named values found", ids)
    agent.get_by_role("button", name="Copy what was not found").click()
    expect(agent.locator("#live")).to_have_text("Copy what was not found: copied")
    assert agent.evaluate("navigator.clipboard.readText()") == "no.one@example.test"


def test_other_text_is_pasted_unchanged(agent: Page) -> None:
    agent.context.grant_permissions(["clipboard-read", "clipboard-write"])
    agent.goto("/audit/")
    agent.evaluate("text => navigator.clipboard.writeText(text)", "one@example.test")
    box(agent).focus()
    agent.keyboard.press("Control+V")
    expect(box(agent)).to_have_value("one@example.test")


def test_several_addresses_in_the_box(someone: Become, site: Site) -> None:
    page = someone("viewer")
    _, ids = indexed(site, 1)
    page.goto("/settings/")
    for part in (ids[0], " no.one", "@example.test"):
        box(page).press_sequentially(part)
    box(page).press("Enter")
    page.wait_for_url(re.compile(r"/orders/(\?|find/)"))
    offer = page.get_by_role("button", name="Look all of it up")
    if offer.count():
        offer.click()
    expect_finding(page, "1 of 2 named values found", ids)


def drop(page: Page, text: str) -> None:
    dropped = page.evaluate_handle(
        """text => {
          const dropped = new DataTransfer();
          dropped.setData("text/plain", text);
          return dropped;
        }""",
        text,
    )
    box(page).dispatch_event("drop", {"dataTransfer": dropped})


def insert(page: Page, text: str) -> None:
    box(page).focus()
    page.keyboard.insert_text(text)


def set_value(page: Page, text: str) -> None:
    """Set the value by script, as programs that expand abbreviations do."""
    box(page).evaluate(
        """(box, text) => {
          box.value = text;
          box.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }""",
        text,
    )


@pytest.mark.parametrize("put", [drop, insert, set_value])
def test_a_ticket_is_dropped_or_inserted(
    agent: Page, site: Site, put: Callable[[Page, str], None]
) -> None:
    _, ids = indexed(site, 2)
    agent.goto("/audit/")
    put(agent, f"Hello,\nwhere are {ids[0]} \n{ids[1]} and that of no.one@example.test?\n")
    expect_finding(agent, "2 of 3 named values found", ids)


@pytest.mark.parametrize("put", [drop, insert, set_value])
def test_a_long_search_is_posted(
    agent: Page, site: Site, put: Callable[[Page, str], None], watch: BrowserLog
) -> None:
    """470 Japanese letters have 4,230 characters in a URL."""
    watch.expected.add(422)
    agent.goto("/audit/")
    put(agent, "語" * 470)
    agent.wait_for_url("**/orders/find/")
    expect(agent.locator(".field__error")).to_contain_text("no order has all of its words")


def test_a_long_url_is_answered(agent: Page, site: Site) -> None:
    """Without the script such a URL is requested, and links back to the list encode it twice."""
    url = f"/orders/?q={quote_plus('語' * 470)}"
    assert agent.request.get(f"{site.url}{url}").status == 200
    back = agent.request.get(f"{site.url}/orders/{site.open_order()}/?next={quote_plus(url)}")
    assert back.status == 200


def test_a_long_text_that_is_typed_is_posted_by_enter(
    agent: Page, site: Site, watch: BrowserLog
) -> None:
    watch.expected.add(422)
    agent.goto("/orders/")
    for _ in range(18):
        insert(agent, "語" * 10)
    expect(box(agent)).to_have_value("語" * 180)
    agent.wait_for_timeout(1_000)
    assert all(len(request.url) < 2_000 for request in watch.requests)
    box(agent).press("Enter")
    agent.wait_for_url("**/orders/find/")
    expect(agent.locator(".field__error")).to_contain_text("no order has all of its words")


TWO = "one@example.test two@example.test"


def test_a_search_with_several_addresses_is_no_ticket(someone: Become, site: Site) -> None:
    page = someone("viewer")
    indexed(site, 2, recipient_email="one@example.test")
    indexed(site, 1, recipient_email="three@example.test")
    page.goto("/settings/")
    box(page).fill(f"status:notified {TWO} -three@example.test")
    box(page).press("Enter")
    page.wait_for_url("**/orders/?q=*")
    expect_filters(page, "2 e-mail addresses")
    expect(page.get_by_role("button", name="Look all of it up")).to_have_count(0)
    page.get_by_role("link", name="Remove: 2 e-mail addresses").click()
    expect(box(page)).to_have_value("status:notified -three@example.test")


def test_the_script_knows_every_operator(agent: Page) -> None:
    """No search, typed or pasted, is taken as a ticket."""
    examples = {one.name: one.example for one in OPERATORS if one.name != '"'}
    agent.goto("/orders/")
    for example in examples.values():
        box(agent).fill(f"{TWO} {example}")
        box(agent).press("Enter")
        expect(agent).to_have_url(re.compile(rf"\?q=one.*{re.escape(quote_plus(example))}$"))
    agent.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for pasted in ("–one@example.test –two@example.test\n", f'{TWO} -"Ana B"'):
        agent.evaluate("text => navigator.clipboard.writeText(text)", pasted)
        box(agent).fill("")
        agent.keyboard.press("Control+V")
        expect(box(agent)).to_have_value(pasted.strip())
    for pasted in (f"- {TWO}", f"Status: {TWO}", f"Re:{TWO}", "-one@example.test\n-a@example.test"):
        agent.evaluate("text => navigator.clipboard.writeText(text)", pasted)
        agent.goto("/orders/")
        box(agent).focus()
        agent.keyboard.press("Control+V")
        agent.wait_for_url("**/orders/find/*/")


def test_a_page_to_paste_into(someone: Become, site: Site, watch: BrowserLog) -> None:
    watch.expected.add(422)
    page = someone("viewer")
    _, ids = indexed(site, 2)
    page.goto("/orders/find/")
    assert_whole_page(page, "Find orders in a text")
    page.get_by_label("A ticket, an e-mail, a column of a spreadsheet").fill("words " * 100)
    page.get_by_role("button", name="Find orders").click()
    expect(page.locator(".field__error")).to_contain_text("Nothing in this text can be looked up")
    page.get_by_label("A ticket, an e-mail, a column of a spreadsheet").fill("\n".join(ids))
    page.get_by_role("button", name="Find orders").click()
    expect_finding(page, "2 of 2 named values found", ids)


# --- saved views --------------------------------------------------------------------------------


def save_as(page: Page, name: str, *, is_shared: bool = False) -> None:
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name of the view").fill(name)
    if is_shared:
        page.get_by_label("Share with everybody").check()
    page.get_by_role("button", name="Save view").click()


def current_view(page: Page) -> str:
    return page.locator(".views .tabs [aria-current]").inner_text().strip()


def test_a_view_is_saved_changed_and_reset(someone: Become, site: Site) -> None:
    page = someone("agent")
    name = f"View {uuid4().hex[:6]}"
    indexed(site, 1, status="opened")
    page.goto("/orders/?status=opened")
    save_as(page, name)
    page.wait_for_url("**/orders/?status=opened&*&view=*")
    saved = page.url
    assert current_view(page) == name
    expect(page.get_by_text("changed", exact=True)).to_have_count(0)

    page.get_by_role("link", name="Expires", exact=True).click()
    expect(page.get_by_text("changed", exact=True)).to_be_visible()
    assert current_view(page) == name
    page.get_by_role("link", name=f"Reset to the view {name}").click()
    expect(page.get_by_text("changed", exact=True)).to_have_count(0)
    expect(page).to_have_url(saved)

    page.get_by_role("link", name="Amount", exact=True).click()
    page.get_by_role("button", name=f"Save the view {name}").click()
    page.wait_for_url("**/orders/?status=opened&*&sort=-amount&view=*")
    expect(page.get_by_text("changed", exact=True)).to_have_count(0)
    page.goto("/orders/?q=nobody")
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/orders/?status=opened&*&sort=-amount&view=*")


def test_a_view_is_saved_on_a_small_phone(agent: Page) -> None:
    agent.set_viewport_size({"width": 320, "height": 640})
    agent.goto("/orders/?q=nobody")
    agent.locator("summary", has_text="Save view").click()
    expect(agent.get_by_label("Name of the view")).to_be_in_viewport(ratio=1)
    expect(agent.get_by_role("button", name="Save view")).to_be_in_viewport(ratio=1)


def test_views_are_looked_after(someone: Become, site: Site, watch: BrowserLog) -> None:
    watch.expected.add(422)
    page = someone("agent")
    name = f"View {uuid4().hex[:6]}"
    page.goto("/orders/?status=paid")
    save_as(page, name)
    page.goto("/orders/?status=opened")
    save_as(page, name.upper())
    expect(page.locator(".form-errors")).to_contain_text("Choose another name.")
    page.locator("#view-name").fill(f"{name} too")
    page.get_by_role("button", name="Save as a new view").click()
    page.wait_for_url("**/orders/?status=opened&*&view=*")

    page.get_by_role("link", name="Manage views").first.click()
    page.locator("summary", has_text=f"Change {name} too").click()
    page.get_by_label(f"New name of {name} too").fill(f"{name} three")
    page.get_by_role("button", name=f"Rename {name} too").click()
    page.locator("summary", has_text=re.compile(rf"^Change {name}$")).click()
    page.get_by_role("button", name=f"Delete {name}", exact=True).click()
    expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name=f"{name} three")).to_be_visible()


def test_a_shared_view_is_everybodys(someone: Become, as_person: Become, site: Site) -> None:
    name = f"View {uuid4().hex[:6]}"
    lead = as_person("lead")
    lead.goto("/orders/?status=shipped")
    save_as(lead, name, is_shared=True)
    lead.wait_for_url("**view=*")
    page = someone("viewer")
    page.goto("/orders/?q=nobody")
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/orders/?status=shipped&*&view=*")
    expect(page.locator("summary", has_text="Save view")).to_have_count(0)


# --- the download -------------------------------------------------------------------------------


def test_the_list_is_downloaded(someone: Become, site: Site, tmp_path: Path) -> None:
    page = someone("lead")
    name, ids = indexed(site, 3)
    page.goto(f"/orders/?q={name}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename.startswith("orders-2")
    path = tmp_path / "orders.csv"
    download.value.save_as(path)
    lines = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    assert [line[0] for line in lines[1:]] == ids
    expect(page.locator("h1")).to_have_text("Orders")


# --- neighbors in the list ----------------------------------------------------------------------


def test_from_order_to_order_and_back_to_the_row(someone: Become, site: Site) -> None:
    page = someone("agent")
    name, ids = indexed(site, 3)
    page.goto(f"/orders/?q={name}")
    there = page.url
    row(page, ids[0]).locator("th a").click()
    expect(page.locator(".neighbors")).to_contain_text("1 of 3")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator(".neighbors")).to_contain_text("2 of 3")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator(".neighbors")).to_contain_text("3 of 3")
    expect(page.get_by_role("link", name="Next", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Previous", exact=True).click()
    expect(page.locator("#order-detail")).to_have_attribute("data-order-id", ids[1])
    page.get_by_role("link", name=f"Back to “{name.lower()}”").click()
    assert_whole_page(page, "Orders")
    expect(page).to_have_url(f"{there}#order-{ids[1]}")
    expect_listed(page, *ids)
    expect(page.locator("tr:target")).to_have_attribute("id", f"order-{ids[1]}")


def test_through_a_list_by_keyboard(agent: Page, site: Site) -> None:
    name, ids = indexed(site, 3)
    agent.goto(f"/orders/?q={name}")
    agent.keyboard.press("j")
    for key, number in (("Enter", 1), ("j", 2), ("j", 3), ("k", 2)):
        agent.keyboard.press(key)
        expect(agent.locator(".neighbors")).to_contain_text(f"{number} of 3")
        wait_for_keys(agent)
    agent.get_by_role("link", name=f"Back to “{name.lower()}”").click()
    expect(row(agent, ids[1]).locator("th a")).to_be_focused()
    # The list continues as before.
    agent.keyboard.press("j")
    expect(row(agent, ids[2]).locator("th a")).to_be_focused()


def test_the_browsers_back_leads_to_the_row_as_well(agent: Page, site: Site) -> None:
    name, ids = indexed(site, 2)
    agent.goto(f"/orders/?q={name}")
    row(agent, ids[1]).locator("th a").click()
    expect(agent.locator("#order-detail")).to_be_visible()
    agent.go_back()
    assert_whole_page(agent, "Orders")
    expect(row(agent, ids[1]).locator("th a")).to_be_focused()
