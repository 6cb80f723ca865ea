"""Pages and dialogs while Goody is slow: the stored copy at once, then Goody's answer."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from orders import goody_api, services
from testing.dialogs import dialog, hidden, htmx, text, url
from testing.domain import open_order
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(as_role: Any) -> Client:
    """An agent whose browser runs the page's script."""
    client: Client = as_role("agent")
    client.cookies["script"] = "on"
    return client


@pytest.fixture
def order_id(emulator: Emulator) -> UUID:
    """An order with a stored copy."""
    created = open_order(emulator)
    services.refresh_order(order_id=created, now=timezone.now())
    return created


def read_url(page: str) -> str:
    """Return the URL from which the page loads Goody's answer."""
    found = re.findall(r'hx-get="([^"]*read=[^"]*)" hx-trigger="load"', page)
    assert len(found) == 1
    return str(found[0]).replace("&amp;", "&")


def submit_button(page: str) -> str:
    found = re.search(r'<button [^>]*id="dialog-submit"[^>]*>', page)
    assert found
    return found[0]


def calls(emulator: Emulator) -> int:
    return int(emulator.calls()["total"])


# --- the order's page -------------------------------------------------------------------------


def test_order_page_shows_the_copy_without_a_call(
    emulator: Emulator, agent: Client, order_id: UUID
) -> None:
    before = calls(emulator)
    page = text(agent.get(url("order_detail", order_id)))
    assert calls(emulator) == before
    assert "asking Goody…" in page
    assert "not what Goody has now" not in page


def test_page_loads_a_change_from_goody(emulator: Emulator, agent: Client, order_id: UUID) -> None:
    address = read_url(text(agent.get(url("order_detail", order_id))))
    emulator.change_order(order_id, status="opened")
    answer = agent.get(address, headers=htmx("div#order-detail"))
    assert 'data-status="opened"' in text(answer)
    assert "asking Goody…" not in text(answer)


def test_without_a_change_only_the_time_of_the_read_is_replaced(
    agent: Client, order_id: UUID
) -> None:
    address = read_url(text(agent.get(url("order_detail", order_id))))
    answer = agent.get(address, headers=htmx("div#order-detail"))
    assert answer["HX-Reswap"] == "none"
    assert re.findall(r' id="([^"]+)" hx-swap-oob="true"', text(answer)) == ["as-of"]
    assert text(answer).strip().startswith('<span class="as-of__text" id="as-of"')


def test_slow_read_is_not_an_error(
    emulator: Emulator, agent: Client, order_id: UUID, settings: Any
) -> None:
    settings.GOODY_DETAIL_DEADLINE = 0.1
    emulator.set_latency(0.4)
    page = text(agent.get(f"{url('order_detail', order_id)}?read="))
    assert "not what Goody has now" not in page


def test_without_a_copy_the_page_waits(emulator: Emulator, agent: Client) -> None:
    page = text(agent.get(url("order_detail", open_order(emulator))))
    assert "asking Goody…" not in page


def test_without_the_script_the_page_waits(
    emulator: Emulator, as_role: Any, order_id: UUID
) -> None:
    emulator.change_order(order_id, status="opened")
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert 'data-status="opened"' in page
    assert "asking Goody…" not in page


def test_when_goody_is_down_the_copy_stays_with_the_reason(
    emulator: Emulator, agent: Client, order_id: UUID
) -> None:
    address = read_url(text(agent.get(url("order_detail", order_id))))
    emulator.add_fault({"kind": "status", "status": 503})
    answer = text(agent.get(address, headers=htmx("div#order-detail")))
    assert "This is our copy." in answer


# --- dialogs ----------------------------------------------------------------------------------

DIALOGS = ("order_cancel", "order_expiration")


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_opens_without_a_call_and_cannot_be_sent_yet(
    emulator: Emulator, agent: Client, order_id: UUID, name: str
) -> None:
    before = calls(emulator)
    opened = text(agent.get(url(name, order_id), headers=dialog()))
    assert calls(emulator) == before
    assert " disabled" in submit_button(opened)
    assert "Reading the order at Goody…" in opened


@pytest.mark.parametrize("name", DIALOGS)
def test_the_fresh_read_enables_its_button(agent: Client, order_id: UUID, name: str) -> None:
    opened = text(agent.get(url(name, order_id), headers=dialog()))
    answer = agent.get(read_url(opened), headers=htmx("div#dialog-content"))
    assert answer["HX-Reswap"] == "none"
    assert "data-fresh" in text(answer)
    assert "<form" not in text(answer)
    assert "be undone" in text(answer)
    assert set(hidden(answer)) == {"snapshot"}


@pytest.mark.parametrize("name", DIALOGS)
def test_a_fresh_read_with_a_change_replaces_the_dialog(
    emulator: Emulator, agent: Client, order_id: UUID, name: str
) -> None:
    opened = text(agent.get(url(name, order_id), headers=dialog()))
    emulator.change_order(order_id, status="opened")
    answer = agent.get(read_url(opened), headers=htmx("div#dialog-content"))
    assert " disabled" not in submit_button(text(answer))
    assert "<form" in text(answer)
    emulator.change_order(order_id, status="accepted")
    assert "<form" not in text(agent.get(read_url(opened), headers=htmx("div#dialog-content")))


@pytest.mark.parametrize("name", DIALOGS)
def test_write_refused_by_the_copy_is_read_first(
    emulator: Emulator, agent: Client, order_id: UUID, name: str
) -> None:
    emulator.change_order(order_id, status="accepted")
    services.refresh_order(order_id=order_id, now=timezone.now())
    emulator.change_order(order_id, status="opened")
    opened = text(agent.get(url(name, order_id), headers=dialog()))
    assert " disabled" not in submit_button(opened)


@pytest.mark.parametrize("name", ["order_cancel", "order_expiration"])
def test_a_form_keeps_what_was_typed_when_its_read_fails(
    emulator: Emulator, agent: Client, order_id: UUID, name: str
) -> None:
    opened = text(agent.get(url(name, order_id), headers=htmx("div#dialog-body")))
    address, target = read_url(opened), htmx("div#dialog-content")
    emulator.add_fault({"kind": "status", "status": 503})
    failed = agent.get(address, headers=target)
    assert (failed.status_code, failed["HX-Retarget"]) == (200, "#dialog-problem")
    assert "<form" not in text(failed)
    assert f'hx-get="{html.escape(address)}"' in text(failed)
    emulator.clear_faults()
    goody_api._client.cache_clear()
    ready = text(agent.get(address, headers=target))
    assert "data-fresh" in ready
    assert '<div id="dialog-problem" hx-swap-oob="true"></div>' in ready
