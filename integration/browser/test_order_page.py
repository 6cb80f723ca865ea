"""The page of an order: what is in the first screen, its parts in each state, keys, no shifts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .moves import wait_for_keys
from .site import Site

DESKTOP = {"width": 1440, "height": 900}

# The movements of elements that no click or key caused (Layout Instability API).
_WATCH_SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) {
      window.shifts.push(...one.sources.map(it => it.node?.outerHTML?.slice(0, 80) ?? ""));
    }
  }).observe({type: "layout-shift", buffered: true});
}"""


_SIZES = """() => Object.fromEntries([...document.querySelectorAll("main *")].map(
  it => [it.tagName, parseFloat(getComputedStyle(it).fontSize)]))"""


def height(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


def box(place: Locator) -> dict[str, float]:
    found = place.bounding_box()
    assert found
    return dict(found)


def ordinary(site: Site, status: str) -> str:
    """Return the order with that status whose person has other gifts, and the longest timeline of
    those. Its message has a few lines: a generated one may have 1,200 characters.
    """
    found = site.emulator.find_orders(
        limit=200, status=status, swapped=0, hostile=0, has_thank_you=0
    )
    truth = site.emulator.all_orders()
    gifts = Counter(one["recipient_email"] for one in truth.values())
    orders = [truth[one["id"]] for one in found]
    _, _, order_id = max(
        (min(gifts[one["recipient_email"]], 3), len(set(one["event_times"].values())), one["id"])
        for one in orders
        if len(one["message"] or "") < 300
    )
    return str(order_id)


@pytest.mark.parametrize("status", ["notified", "opened", "delivered", "failed"])
def test_an_ordinary_order_is_one_screen(
    as_person: Callable[..., Page], site: Site, status: str
) -> None:
    """At 1440 x 900, with the timeline in sight and the name the largest text."""
    site.fill_index()
    page = as_person("agent")
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    page.goto(f"/orders/{ordinary(site, status)}/")
    expect(page.get_by_role("heading", name="Timeline")).to_be_in_viewport()
    assert height(page) <= DESKTOP["height"]
    sizes = page.evaluate(_SIZES)
    assert (min(sizes.values()) >= 12, max(sizes, key=sizes.__getitem__)) == (True, "H1")


@pytest.mark.parametrize("width", [1024, 1440, 1920])
def test_from_1024_px_there_are_two_columns(agent: Page, site: Site, width: int) -> None:
    agent.set_viewport_size({"width": width, "height": 900})
    agent.goto(f"/orders/{site.open_order()}/")
    gift, timeline = (box(agent.get_by_role("region", name=one)) for one in ("Gift", "Timeline"))
    assert timeline["x"] > gift["x"] + gift["width"]
    assert timeline["y"] == gift["y"]


def test_an_open_order_has_one_primary_button_and_nothing_red(agent: Page, site: Site) -> None:
    agent.goto(f"/orders/{site.open_order()}/")
    expect(agent.locator(".button--primary")).to_have_text("Extend…")
    expect(agent.locator(".badge--bad, .button--danger, .is-danger")).to_have_count(0)


def test_a_canceled_order_ends_with_the_person_who_canceled_it(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    agent.goto(f"/orders/{order_id}/")
    wait_for_keys(agent)
    agent.keyboard.press("c")
    dialog = agent.locator("#dialog[open]")
    dialog.get_by_label("Duplicate gift").check()
    dialog.get_by_role("button", name="Cancel gift", exact=True).click()
    steps = agent.locator(".step")
    expect(steps.last).to_contain_text("Canceled by Agent")
    expect(steps.last.locator("time")).to_have_text(re.compile(r"^\d+ \w{3}, \d\d:\d\d$"))
    expect(steps.locator(".step__name")).to_have_text(
        ["Created: done", "Notified: done", "Canceled by Agent: the end"]
    )
    expect(agent.locator(".order-head .badge")).to_have_text(["Canceled"])
    expect(agent.get_by_role("region", name="Timeline")).to_contain_text("Agent canceled the gift")
    expect(agent.locator(".order-head__why")).to_have_text(
        "Cannot be canceled or extended: it is already canceled."
    )
    expect(agent).to_have_title(re.compile("· Canceled – Goody Admin"))


def test_the_age_runs_on(agent: Page, site: Site) -> None:
    agent.clock.install()
    agent.goto(f"/orders/{site.open_order()}/")
    age = agent.locator("#as-of time")
    expect(age).to_have_text("just now")
    agent.clock.fast_forward("02:30")
    expect(age).to_have_text("2 min ago")


def stored(site: Site, page: Page, **fields: Any) -> str:
    """Return an order of which we have a copy, which the page shows at once."""
    order_id = site.open_order(**fields)
    page.goto(f"/orders/{order_id}/")
    wait_for_keys(page)
    return order_id


@pytest.mark.parametrize("fault", [None, {"kind": "status", "status": 503}])
def test_goodys_answer_moves_nothing(agent: Page, site: Site, fault: dict[str, Any] | None) -> None:
    """Our copy is shown at once; the answer, or that there is none, takes a place of its own."""
    order_id = stored(site, agent)
    agent.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    site.emulator.set_latency(0.7)
    if fault:
        site.emulator.add_fault(fault, path="/v1/orders/")
    agent.add_init_script(f"addEventListener('DOMContentLoaded', {_WATCH_SHIFTS})")
    agent.goto(f"/orders/{order_id}/")
    expect(agent.locator("#as-of")).to_contain_text("asking Goody…")
    before = box(agent.locator(".steps"))
    expect(agent.locator("#as-of")).not_to_contain_text("asking Goody…", timeout=15_000)
    if fault:
        expect(agent.get_by_role("alert")).to_contain_text("Nothing can be changed until")
        expect(agent.locator("#as-of")).to_contain_text("Our copy")
    assert box(agent.locator(".steps")) == before
    assert agent.evaluate("window.shifts") == []


def test_the_menu_closes_by_escape_and_by_a_click_elsewhere(agent: Page, site: Site) -> None:
    agent.goto(f"/orders/{site.open_order()}/")
    wait_for_keys(agent)
    menu, more = agent.locator(".order-head .menu__items"), agent.get_by_label("More actions")
    more.click()
    expect(menu).to_be_visible()
    expect(menu).to_contain_text("Do not open it yourself")
    agent.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    agent.locator("h1").click()
    expect(menu).to_be_hidden()


def test_at_200_percent_the_page_fits_its_window(agent: Page, site: Site) -> None:
    agent.set_viewport_size({"width": 720, "height": 450})
    agent.goto(f"/orders/{site.open_order()}/")
    assert agent.evaluate("document.documentElement.scrollWidth") <= 720
    expect(agent.get_by_role("link", name="Extend…")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("days", "word"), [(-2, "Expired 2 d ago"), (1, "Expires in 1 d"), (30, "")]
)
def test_an_expiration_that_needs_attention_is_a_badge(
    agent: Page, site: Site, days: int, word: str
) -> None:
    at = datetime.now(UTC) + timedelta(days=days, minutes=5 if days > 0 else -5)
    agent.goto(f"/orders/{site.open_order(expires_at=f'{at:%Y-%m-%dT%H:%M:%SZ}')}/")
    badges = agent.locator(".order-head .badge").all_inner_texts()
    assert badges == ["Notified", *([word] if word else [])]
