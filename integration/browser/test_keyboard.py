"""Single keys on any keyboard layout, input methods in the box, and the focus in filter panels."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import CDPSession, Page, expect

from orders.models import SyncState
from testing.browser import BrowserLog
from testing.list_pages import complete_sync

from .moves import (
    filter_link,
    open_filter,
    wait_for_keys,
)
from .site import Site

_ALT, _CTRL, _META, _SHIFT = 1, 2, 4, 8


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    complete_sync(timezone.now())
    yield
    SyncState.objects.all().delete()


@pytest.fixture
def keys(agent: Page) -> Iterator[CDPSession]:
    """Presses keys with the codes of any keyboard layout."""
    session = agent.context.new_cdp_session(agent)
    yield session
    session.detach()


def press(keys: CDPSession, key: str, code: str, modifiers: int = 0) -> None:
    told = {"key": key, "code": code, "modifiers": modifiers}
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **told})
    keys.send("Input.dispatchKeyEvent", {"type": "keyUp", **told})


# --- layouts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("following", "previous"),
    [
        pytest.param(("]", "BracketRight", 0), ("[", "BracketLeft", 0), id="US"),
        pytest.param(("]", "Digit9", _ALT | _CTRL), ("[", "Digit8", _ALT | _CTRL), id="AltGr"),
        pytest.param(("]", "Digit6", _ALT), ("[", "Digit5", _ALT), id="Option"),
        pytest.param(("ъ", "BracketRight", 0), ("х", "BracketLeft", 0), id="Russian"),
    ],
)
def test_the_keys_for_pages(
    agent: Page,
    site: Site,
    keys: CDPSession,
    following: tuple[str, str, int],
    previous: tuple[str, str, int],
) -> None:
    SyncState.objects.all().delete()
    agent.goto("/orders/?per_page=25")
    wait_for_keys(agent)
    press(keys, *following)
    expect(agent.locator(".pager")).to_contain_text("Page 2 of")
    press(keys, *previous)
    expect(agent.locator(".pager")).to_contain_text("Page 1 of")


@pytest.mark.parametrize(
    "pressed",
    [
        pytest.param(("J", "KeyJ", 0), id="Caps Lock"),
        pytest.param(("о", "KeyJ", 0), id="Russian"),
        pytest.param(("О", "KeyJ", 0), id="Russian with Caps Lock"),
        pytest.param(("j", "KeyC", 0), id="Dvorak"),
    ],
)
def test_letters(agent: Page, keys: CDPSession, pressed: tuple[str, str, int]) -> None:
    SyncState.objects.all().delete()
    agent.goto("/orders/?per_page=25")
    wait_for_keys(agent)
    press(keys, *pressed)
    expect(agent.locator("tbody th a").first).to_be_focused()


def test_other_keys_do_nothing(agent: Page, keys: CDPSession, watch: BrowserLog) -> None:
    SyncState.objects.all().delete()
    agent.goto("/orders/?per_page=25")
    wait_for_keys(agent)
    asked = len(watch.requests)
    for pressed in (
        ("J", "KeyJ", _SHIFT),
        ("j", "KeyJ", _SHIFT),
        ("j", "KeyJ", _ALT),
        ("r", "KeyR", _META),
        ("ü", "BracketLeft", 0),
        ("/", "Slash", _CTRL),
        ("]", "BracketRight", _META),
        ("ArrowDown", "ArrowDown", 0),
    ):
        press(keys, *pressed)
    expect(agent.locator(":focus")).to_have_count(0)
    assert len(watch.requests) == asked


def test_the_box_by_a_german_slash(agent: Page, keys: CDPSession) -> None:
    agent.goto("/audit/")
    wait_for_keys(agent)
    press(keys, "/", "Digit7", _SHIFT)
    expect(agent.get_by_role("combobox", name="Find orders")).to_be_focused()


# --- input methods ------------------------------------------------------------------------------


def test_a_search_waits_for_the_end_of_a_composition(
    agent: Page, keys: CDPSession, watch: BrowserLog
) -> None:
    agent.goto("/orders/")
    agent.keyboard.press("/")
    for composed in ("k", "か", "かn", "かん"):
        keys.send(
            "Input.imeSetComposition",
            {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)},
        )
        # Longer than the pause after which a search is sent.
        agent.wait_for_timeout(200)
    assert watch.request_paths("GET", "q=") == []
    keys.send("Input.insertText", {"text": "漢"})
    expect(agent.locator("#box-popup [data-q]")).to_have_attribute("data-q", "漢")
    assert len(watch.request_paths("GET", "q=")) == 1


# --- filters ------------------------------------------------------------------------------------


def test_form_sends_only_its_fields(agent: Page, watch: BrowserLog) -> None:
    agent.goto("/orders/?status=opened&per_page=25")
    agent.keyboard.press("/")
    agent.keyboard.type("zz")
    expect(agent.locator("#box-popup [data-q]")).to_have_attribute("data-q", "zz")
    agent.keyboard.press("Enter")
    expect(agent.locator("#results")).to_have_attribute("data-q", "zz")
    asked = [url for url in watch.request_paths("GET", "/orders/") if "q=zz" in url]
    assert len(asked) == 2
    assert not [url for url in asked if "pick" in url or "undefined" in url]
    assert all("status=opened" in url and "per_page=25" in url for url in asked)
    expect(agent).to_have_url(re.compile(r"/orders/\?q=zz&status=opened&per_page=25$"))


@pytest.mark.parametrize(
    ("panel", "field"),
    [
        ("Status", "#panel-status [name=status]"),
        ("Expires", "#expires_after"),
        ("Created", "#created_after"),
        ("Workspace", "#workspace"),
        ("Sender", "#sender"),
        ("Batch", "#batch"),
        ("More", "[name=attention]"),
        ("Newest first", "#panel-sort a"),
    ],
)
def test_a_panel_focuses_its_field(agent: Page, panel: str, field: str) -> None:
    agent.goto("/orders/?status=opened")
    open_filter(agent, panel)
    expect(agent.locator(field).first).to_be_focused()
    agent.keyboard.press("Escape")
    expect(filter_link(agent, panel)).to_be_focused()
