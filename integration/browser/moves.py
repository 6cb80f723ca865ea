"""Helpers of the browser tests: focus and keys, rows and dialogs, checks of whole pages."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

_FOCUS = """() => {
  const at = document.activeElement;
  const shown = at.matches(".chip input") ? at.closest(".chip") : at;
  const style = getComputedStyle(shown);
  const box = shown.getBoundingClientRect();
  return {
    what: `${at.tagName} ${at.textContent.trim().slice(0, 40)}`,
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    isInside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


def assert_focus_is_visible(page: Page) -> None:
    focus = page.evaluate(_FOCUS)
    assert focus["outline"] >= 2, f"no outline on {focus['what']}"
    assert focus["isInside"], f"the focus is out of sight on {focus['what']}"


_IS_SEEN = """it => {
  const box = it.getBoundingClientRect();
  return [box.top + 2, box.bottom - 2].every(
    y => it.contains(document.elementFromPoint(box.left + box.width / 2, y)));
}"""


def assert_seen(place: Locator) -> None:
    """Assert that the whole height is visible: nothing covers it, and it is scrolled into view."""
    assert place.evaluate(_IS_SEEN), f"{place} is out of sight"


def wait_for_keys(page: Page) -> None:
    """Single keys do something once the page's script has run, a moment after its words are there.
    A key pressed earlier would be lost; no person is that fast.
    """
    expect(page.locator("html.has-js")).to_have_count(1)


def settle(page: Page) -> None:
    """Wait until the list's counts have come and nothing else is asked. A clock that jumped before
    would end the request under way: its limit of time jumps as well.
    """
    expect(page.locator("#tab-counts")).to_have_count(0)
    expect(page.locator(".htmx-request")).to_have_count(0)


def tab_to(page: Page, place: Locator, *, key: str = "Tab", within: int = 40) -> None:
    """Press the key until the element has the focus; the focus must be visible at every stop."""
    press_until_focused(page, key, place, within=within)


def press_until_focused(page: Page, key: str, place: Locator, *, within: int) -> None:
    for _ in range(within):
        page.keyboard.press(key)
        if page.evaluate("document.activeElement === document.body"):
            # Past the last stop of a dialog the browser's own bar has the focus, then the first.
            continue
        assert_focus_is_visible(page)
        if place.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{within} times {key} do not lead to {place}")


# The title of an order's tab: a part of its receipt, and its status.
ORDER = r"\S+ · .+"


def assert_whole_page(page: Page, title: str) -> None:
    """Assert a complete, styled page with one frame, not a fragment on its own."""
    expect(page).to_have_title(re.compile(rf"^{title} – Goody Admin"))
    for part in ("header.topbar", "main#main", "h1", "dialog#dialog", "#toasts", "#live"):
        expect(page.locator(part)).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.evaluate("document.styleSheets.length") >= 1
    assert page.evaluate("getComputedStyle(document.querySelector('.topbar')).display") == "flex"
    expect(page.locator("dialog[open]")).to_have_count(0)


def row(page: Page, order_id: str) -> Locator:
    return page.locator(f"#order-{order_id}")


def row_action(page: Page, order_id: str, key: str) -> Locator:
    """Return the link of an order's row that the key follows: "e" to extend, "c" to cancel."""
    action = {"e": "expiration", "c": "cancel"}[key]
    return row(page, order_id).locator(f'.actions [href$="/{action}/"]')


def expect_listed(page: Page, *order_ids: str) -> None:
    """Wait until the list shows these orders in this sequence."""
    rows = page.locator(".orders tbody tr")
    expect(rows).to_have_count(len(order_ids))
    for n, order_id in enumerate(order_ids):
        expect(rows.nth(n)).to_have_attribute("id", f"order-{order_id}")


def first_row(page: Page) -> str:
    """Return the order in the list's first row."""
    return order_of(page.locator(".orders tbody tr").first)


def order_of(line: Locator) -> str:
    """Return the id of a row's order."""
    return str(line.get_attribute("id")).removeprefix("order-")


def pager_link(page: Page, name: str) -> Locator:
    """Return the link Next or Previous of the list's pager. Recipients may have these names too."""
    pager = page.get_by_role("navigation", name="Pages")
    return pager.get_by_role("link", name=name, exact=True)


def filter_link(page: Page, name: str) -> Locator:
    """Return the button of a filter or of the sort, which opens its panel."""
    return page.locator(".filter-bar [data-panel]", has_text=name)


def open_filter(page: Page, name: str) -> None:
    """Open a filter's panel; without JavaScript, the page with all filters."""
    filter_link(page, name).click()
    expect(page.locator(".filter-panel").locator("visible=true").first).to_be_visible()


def expect_filters(page: Page, *texts: str | re.Pattern[str]) -> None:
    """Wait until these filters are active, with the texts of their buttons."""
    expect(page.locator(".filter.is-active")).to_have_text(list(texts))


def in_dialog(page: Page, name: str) -> Locator:
    """Return a button or link of the open dialog, by its exact name."""
    dialog = page.locator("#dialog[open]")
    button = dialog.get_by_role("button", name=name, exact=True)
    return button.or_(dialog.get_by_role("link", name=name, exact=True))


def submit_button(page: Page) -> Locator:
    """Return the button that sends the open dialog; its name contains the chosen date."""
    return page.locator("#dialog[open] #dialog-submit")


def chip(page: Page, label: str) -> Locator:
    """Return one of the dates that the expiration dialog offers."""
    return page.locator("label.chip", has_text=label)
