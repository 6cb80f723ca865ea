"""Every page describes an order in the same words, and marks values that cannot be parsed."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from orders import search, services
from orders.presenters.csv_files import order_csv_chunks
from orders.search.parse import parse_query
from orders.search.query import Query
from testing.dialogs import dialog, htmx, text, url
from testing.domain import cancel, extend, open_order, store_operation
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

LIST = "/orders/"


@pytest.fixture
def agent(as_role: Any) -> Client:
    client: Client = as_role("agent")
    return client


def order_page(client: Client, order_id: UUID) -> str:
    """Return the order's page without its raw JSON."""
    return text(client.get(url("order_detail", order_id))).partition("Raw JSON")[0]


def row(client: Client, order_id: UUID) -> str:
    found = re.search(rf'<tr id="order-{order_id}".*?</tr>', text(client.get(LIST)), re.DOTALL)
    assert found
    return found[0]


def cancel_dialog(client: Client, order_id: UUID) -> str:
    return text(client.get(url("order_cancel", order_id), headers=dialog()))


def expiration_dialog(client: Client, order_id: UUID) -> str:
    return text(client.get(url("order_expiration", order_id), headers=dialog()))


def money(page: str) -> dict[str, str]:
    found = re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>([^<]*)</td>', page)
    return dict(found)


# --- failed deliveries ------------------------------------------------------------------------


def badges(markup: str) -> list[str]:
    """The words of the badges of a row or of the first part of an order's page."""
    head = markup.partition("order-facts")[0]
    found = re.findall(r'<span class="badge(?: [^"]*)?">(.*?)</span>', head, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", one).strip() for one in found]


def test_a_failed_delivery_has_a_badge_of_its_own(emulator: Emulator, agent: Client) -> None:
    shipments = [{"status": "failed_delivery", "brand_name": "Leaf"}]
    order_id = open_order(emulator, status="shipped")
    emulator.change_order(order_id, status="shipped", shipments=shipments)
    for place in (row(agent, order_id), order_page(agent, order_id)):
        assert badges(place) == ["Shipped", "Delivery failed"]
    assert '<span class="badge__word">Failed delivery</span>' in order_page(agent, order_id)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("unknown", ("Being checked", "Outcome being checked")),
        ("needs_human", ("Needs a person", "Outcome needs a person")),
    ],
)
def test_an_open_outcome_has_a_badge_of_its_own(
    emulator: Emulator, agent: Client, state: str, words: tuple[str, str]
) -> None:
    order_id = open_order(emulator)
    services.refresh_order(order_id=order_id, now=timezone.now())
    store_operation(order_uuid=order_id, state=state, unknown_at=timezone.now())
    shown = (badges(row(agent, order_id)), badges(order_page(agent, order_id)))
    assert shown == (["Notified", words[0]], ["Notified", words[1]])


# --- canceled orders --------------------------------------------------------------------------


@pytest.fixture
def canceled(emulator: Emulator) -> UUID:
    order_id = open_order(emulator)
    cancel(order_id, reason="other", note="because")
    return order_id


def test_a_canceled_order_reads_canceled_everywhere(agent: Client, canceled: UUID) -> None:
    operation = services.stored_order(canceled).operations[0]
    pages = {
        "row": row(agent, canceled),
        "page": order_page(agent, canceled),
        "cancel": cancel_dialog(agent, canceled),
        "expiration": expiration_dialog(agent, canceled),
        "operation": text(agent.get(f"/orders/{canceled}/operations/{operation.id}/")),
    }
    for name, page in pages.items():
        assert "anceled or failed" not in page.replace("<option", ""), name
        assert "→ failed" not in page, name
        assert "(say why)" not in page, name
    assert "it is already canceled." in pages["row"]
    assert "Notified → Canceled" in pages["operation"]


def test_the_progress_of_a_canceled_order_ends_there(agent: Client, canceled: UUID) -> None:
    steps = order_page(agent, canceled).partition('<ol class="steps"')[2].partition("</ol>")[0]
    labels = re.findall(r'step__name">([^<]*)<', steps)
    assert labels == ["Created", "Notified", "Canceled by Agent"]


def test_a_canceled_gift_is_not_charged(agent: Client, canceled: UUID) -> None:
    page = order_page(agent, canceled)
    assert list(money(page)) == ["Products", "Shipping", "Processing fee", "Before tax"]
    assert "Not charged: canceled before acceptance" in page


def test_the_total_of_an_end_after_acceptance_is_not_given(
    emulator: Emulator, agent: Client
) -> None:
    order_id = open_order(emulator)
    times = {"created_at": "2026-01-01T00:00:00Z", "accepted_at": "2026-01-02T00:00:00Z"}
    fault = {"status": "failed", "event_times": times}
    emulator.add_fault({"kind": "mutate", "set": fault}, path=f"/v1/orders/{order_id}")
    assert money(order_page(agent, order_id))["Tax, total"] == "not given"


def test_the_link_of_a_canceled_gift_is_not_offered(agent: Client, canceled: UUID) -> None:
    assert "Copy gift link" not in order_page(agent, canceled)


def test_related_orders_use_the_same_words(emulator: Emulator, agent: Client) -> None:
    first, second = (open_order(emulator, recipient_email="twice@acme.example") for _ in range(2))
    cancel(first)
    services.refresh_order(order_id=second, now=timezone.now())
    related = order_page(agent, second).partition('id="h-customer"')[2]
    assert '<span class="badge__word">Canceled</span>' in related


def test_ordered_is_a_separate_step(emulator: Emulator, agent: Client) -> None:
    order_id = open_order(emulator, status="ordered")
    page = order_page(agent, order_id)
    current = re.findall(r'aria-current="step"><span class="step__name">([^<]*)<', page)
    assert current == ["Ordered"]


# --- which gift -------------------------------------------------------------------------------


def test_the_dialogs_name_the_gift_and_others_like_it(emulator: Emulator, agent: Client) -> None:
    who = {
        "recipient_first_name": "Maria",
        "recipient_last_name": "Garcia",
        "recipient_email": "maria@acme.example",
    }
    created = [open_order(emulator, **who) for _ in range(3)]
    for order_id in created:
        services.refresh_order(order_id=order_id, now=timezone.now())
    given = emulator.get_order(created[0])
    sender = given["sender"]
    wanted = (
        "<bdi>maria@acme.example</bdi>&nbsp;· ",
        f"from {sender['first_name']} {sender['last_name']}",
        f'title="Receipt {given["reference_id"]}">…{given["reference_id"][-5:]}<',
    )
    for opened in (cancel_dialog(agent, created[0]), expiration_dialog(agent, created[0])):
        line = opened.partition("dialog__identity")[2].partition("</p>")[0]
        assert [one for one in wanted if one not in line] == []
        assert "2 other open gifts go to this address" in opened
    cancel(created[1])
    cancel(created[2])
    assert "go to this address" not in cancel_dialog(agent, created[0])


# --- undo -------------------------------------------------------------------------------------


def test_dialog_says_whether_undo_will_be_possible(emulator: Emulator, agent: Client) -> None:
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    expired = open_order(emulator, expires_at=f"{past:%Y-%m-%dT%H:%M:%SZ}")
    current = open_order(emulator)
    assert "Cannot be undone: the former date is past" in expiration_dialog(agent, expired)
    assert "Can be undone until" in expiration_dialog(agent, current)
    assert not services.may_undo_extension(extend(expired), now=timezone.now())
    assert services.may_undo_extension(extend(current), now=timezone.now())


# --- unreadable values ------------------------------------------------------------------------

ODD = [
    ("expires_at", "2099-01-01T00:00:00.1234567890Z"),
    ("expires_at", "2099-01-01T00:00:60Z"),
    ("amounts", {"amount_total": 2**53 + 1}),
    ("amounts", {"amount_total": "44.10"}),
    ("amounts", "44.10"),
    ("shipments", {"status": "shipped"}),
    ("shipments", ["lost"]),
    ("message", 7),
    ("cart", "Tea"),
    ("cart", {"items": [{"quantity": "two", "product": {"name": "Tea"}}]}),
]


def odd_order(emulator: Emulator, name: str, value: object) -> UUID:
    order_id = open_order(emulator, expires_at="2099-01-01T00:00:00Z")
    fault = {"kind": "mutate", "set": {name: value}}
    emulator.add_fault(fault, path=f"/v1/orders/{order_id}")
    return order_id


@pytest.mark.parametrize(("name", "value"), ODD)
def test_unreadable_values_are_shown_raw(
    emulator: Emulator, agent: Client, name: str, value: Any
) -> None:
    order_id = odd_order(emulator, name, value)
    page = order_page(agent, order_id)
    sent = {
        "2099-01-01T00:00:00.1234567890Z",
        "2099-01-01T00:00:60Z",
        str(2**53 + 1),
        "44.10",
        "lost",
        "two",
        "Tea",
        "shipped",
        "7",
    }
    shown = page.partition('<header class="order-head"')[2]
    assert "unreadable" in shown
    raw = [one for one in sent if one in str(value)]
    assert any(one in page for one in raw)
    absent = {
        "expires_at": "never",
        "shipments": "Nothing is sent before",
        "cart": "Goody names no content.",
    }
    assert absent.get(name, "\x00") not in shown


@pytest.mark.parametrize("value", ["44.10", {"amount_total": 2**53 + 1}])
def test_a_cancel_dialog_says_that_the_amount_cannot_be_read(
    emulator: Emulator, agent: Client, value: Any
) -> None:
    order_id = odd_order(emulator, "amounts", value)
    released = cancel_dialog(agent, order_id).partition("Released:")[2].partition("</li>")[0]
    assert "unreadable" in released
    assert "not given" not in released


def test_a_row_does_not_say_that_an_unreadable_expiration_is_none(
    emulator: Emulator, agent: Client
) -> None:
    order_id = odd_order(emulator, "expires_at", "2099-01-01T00:00:60Z")
    services.refresh_order(order_id=order_id, now=timezone.now())
    part = text(
        agent.get(
            url("order_detail", order_id),
            headers={"HX-Request": "true", "HX-Target": f"tr#order-{order_id}"},
        )
    )
    assert "No expiry" not in part
    assert "Unreadable" in part


# --- unreadable values in the index -----------------------------------------------------------


def found(query: str) -> set[UUID]:
    box = parse_query(query, now=timezone.now(), zone=ZoneInfo("UTC"))
    assert box.problems == ()
    return {hit.uuid for hit in search.find_page(box.query, size=100, now=timezone.now()).hits}


def test_unreadable_orders_are_found_as_odd_and_not_as_without_expiration(
    emulator: Emulator,
) -> None:
    odd = {name: odd_order(emulator, name, value) for name, value in ODD}
    fine = open_order(emulator, expires_at="2099-01-01T00:00:00Z")
    no_expiry = open_order(emulator, expires_at=None)
    for order_id in (*odd.values(), fine, no_expiry):
        services.refresh_order(order_id=order_id, now=timezone.now())
    assert found("is:odd") == set(odd.values())
    assert found("-is:odd") == {fine, no_expiry}
    assert found("expires:none") == {no_expiry}
    assert odd["expires_at"] in found("-expires:none")


def test_rows_and_csv_mark_unreadable_values(emulator: Emulator, agent: Client) -> None:
    amount = odd_order(emulator, "amounts", {"amount_total": "44.10"})
    expiry = odd_order(emulator, "expires_at", "2099-01-01T00:00:60Z")
    for order_id in (amount, expiry):
        services.refresh_order(order_id=order_id, now=timezone.now())
    hits = search.iterate_hits(Query(), now=timezone.now())
    lines = list(csv.DictReader(b"".join(order_csv_chunks(hits)).decode("utf-8-sig").splitlines()))
    cells = {line["order_id"]: (line["amount_usd"], line["expires_at"]) for line in lines}
    assert cells[str(amount)][0] == "unreadable"
    assert cells[str(expiry)][1] == "unreadable"
    part = text(agent.get(url("order_detail", amount), headers=htmx(f"tr#order-{amount}")))
    assert re.search(r'<td class="amount[^"]*">Unreadable</td>', part)
