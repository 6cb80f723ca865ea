"""The theme that a person chose, forced colors, and print. The gallery checks every page in every
state.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .moves import chip
from .site import Site


@pytest.mark.parametrize(("chosen", "system"), [("dark", "light"), ("light", "dark")])
def test_the_chosen_theme_wins(as_person: Callable[..., Page], chosen: str, system: str) -> None:
    """A theme chosen in the settings overrides the system's on every page."""
    page = as_person("agent", f"related-{chosen}")
    page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
    page.goto("/settings/")
    page.get_by_label(chosen.title(), exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.goto("/orders/?created_before=2001-01-01")
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == {"dark": "rgb(19, 20, 23)", "light": "rgb(251, 251, 250)"}[chosen]


_LOOK = """([selector, part]) => {
  const {backgroundColor, borderTopColor, borderBottomColor, outlineStyle} =
    getComputedStyle(document.querySelector(selector), part);
  return [backgroundColor, borderTopColor, borderBottomColor, outlineStyle];
}"""


def test_states_differ_in_forced_colors(agent: Page, site: Site) -> None:
    """Elements that differ by the dashboard's colors must also differ in forced colors."""

    def assert_different(one: str, other: str, *, part: str | None = None) -> None:
        assert agent.evaluate(_LOOK, [one, part]) != agent.evaluate(_LOOK, [other, part])

    agent.emulate_media(forced_colors="active")
    agent.goto(f"/orders/{site.open_order()}/")
    assert_different(".step--now", ".step--ahead", part="::before")
    agent.keyboard.press("e")
    chip(agent, "+14").click()
    agent.locator("#id_expiration_custom").focus()
    assert_different(".chip:has(:checked)", ".chip:not(:has(:checked))")
    agent.goto("/orders/?sort=expires&status=notified")
    assert_different(".topbar__nav [aria-current]", ".topbar__nav a:not([aria-current])")
    assert_different(".filter.is-active", "a.filter")
    # An arrow has one side, a square all four.
    _, top, bottom, _ = agent.evaluate(_LOOK, ["[aria-sort] a", "::after"])
    assert top != bottom


@pytest.mark.parametrize("status", ["opened", "delivered"])
def test_an_ordinary_order_prints_on_one_sheet(agent: Page, site: Site, status: str) -> None:
    wanted = {"swapped": 0, "hostile": 0}
    agent.goto(f"/orders/{site.emulator.find_order_id(status=status, **wanted)}/")
    expect(agent.get_by_role("heading", name="Timeline")).to_be_visible()
    sheets = re.findall(rb"/Type */Page\b", agent.pdf(format="A4"))
    assert len(sheets) == 1
