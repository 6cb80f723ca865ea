"""/orders/<uuid>/: every field of Goody is on it, for the roles that may see it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.urls import reverse
from django.utils import timezone

from goody.types import Order, parse_order
from orders import formats, models, services
from orders.days import RequestClock
from orders.presenters import order_sections as sections
from orders.presenters.money import money_section
from orders.presenters.order_page import pretty_json
from orders.presenters.order_steps import OrderStep, order_end, order_steps
from orders.presenters.raw_values import RawValues
from testing.dialogs import htmx, text, url
from testing.domain import extend, open_order, store_operation
from testing.order_samples import FULL, TIMES, cart

pytestmark = pytest.mark.django_db

_NOT_GOODYS = {"raw", "problems", "unknown_fields"}
# Values that the page shows in other words.
_SAID_AS = {
    "status": "Shipped",
    "is_swapped": "Swapped by the recipient",
    "cart.items.0.quantity": "3 × <strong>New tea",
    "original_cart.items.0.quantity": "3 × <strong>Old tea",
    "cart_selections.0.quantity_index": "unit 2: Oolong, Large",
    "shipments.0.status": "Failed with reship",
}


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, f"{path}.{k}".strip("."))]
    if isinstance(value, list):
        return [leaf for n, v in enumerate(value) for leaf in leaves(v, f"{path}.{n}")]
    return [(path, value)]


def in_words(path: str, value: Any) -> str:
    if path in _SAID_AS:
        return _SAID_AS[path]
    if "amount_" in path:
        return f">{formats.money(value)}<"
    if re.fullmatch(r"\d{4}-.*Z", str(value)):
        return f'datetime="{value}"'
    return html.escape(str(value))


def schema_fields(struct: Any, value: Any, path: str = "") -> list[str]:
    """The path of every field of the typed order, including nested ones, that `value` lacks."""
    missing = []
    for field in msgspec.structs.fields(struct):
        name = f"{path}{field.name}"
        if field.name in _NOT_GOODYS:
            continue
        if field.name not in value:
            missing.append(name)
            continue
        inner = next((part for part in _structs_in(field.type)), None)
        given = value[field.name]
        if inner is not None:
            sample = given[0] if isinstance(given, list) else given
            missing += schema_fields(inner, sample, f"{name}.")
    return missing


def _structs_in(kind: Any) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [found for part in getattr(kind, "__args__", ()) for found in _structs_in(part)]


@pytest.fixture
def full_id(emulator: Any) -> str:
    order_id: str = emulator.find_order_id(status="shipped")
    emulator.change_order(order_id, **FULL)
    # The emulator keeps its own record of events, so these are put into its answer.
    times = {"kind": "mutate", "set": {"event_times": TIMES}}
    emulator.add_fault(times, path=f"/v1/orders/{order_id}")
    return order_id


def test_the_sample_has_every_field_of_the_schema() -> None:
    assert schema_fields(Order, {"id": "x", **FULL}) == []


def test_every_field_of_the_schema_is_on_the_page(
    emulator: Any, as_role: Any, full_id: str
) -> None:
    page = text(as_role("admin").get(url("order_detail", full_id)))
    shown = page.partition('aria-label="Raw JSON"')[0]
    missing = [p for p, value in leaves(FULL) if in_words(p, value) not in shown]
    assert missing == []
    assert full_id in shown


def test_vendor_text_is_escaped_and_links_are_never_links(
    emulator: Any, as_role: Any, full_id: str
) -> None:
    page = text(as_role("admin").get(url("order_detail", full_id)))
    assert "<aboard>" not in page
    assert "<b>box</b>" not in page
    hrefs = re.findall(r'href="([^"]+)"', page)
    assert [h for h in hrefs if "example.test" in h] == ["/orders/?sender=lee%40example.test"]
    assert 'data-copy="https://gifts.example.test/gift/TESTTOKEN01"' in page


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("viewer", set()),
        ("agent", {"message", "gift link"}),
        ("lead", {"message", "gift link"}),
        ("admin", {"message", "gift link", "payment link", "raw"}),
    ],
)
def test_values_that_require_a_right_are_absent_without_it(
    as_role: Any, full_id: str, role: str, sees: set[str]
) -> None:
    page = text(as_role(role).get(url("order_detail", full_id)))
    found = {
        "message": "Welcome &lt;aboard&gt;" in page and "Thanks &amp; bye" in page,
        "gift link": "TESTTOKEN01" in page,
        "payment link": "checkout.example.test" in page,
        "raw": "Raw JSON" in page,
    }
    assert {name for name, is_seen in found.items() if is_seen} == sees


def test_title_distinguishes_tabs_without_a_name(as_role: Any, full_id: str) -> None:
    title = re.search(
        r"<title>(.*?)</title>", text(as_role("agent").get(url("order_detail", full_id)))
    )
    assert title is not None
    assert title[1] == "TESTREFE…00001 · Shipped – Goody Admin (emulator)"


def money_of(order: Order, *, is_uncharged: bool = False) -> tuple[dict[str, str], str]:
    """Return the amounts by label, and the note below them."""
    shown = money_section(order, make_raw_values(order), is_uncharged=is_uncharged)
    return {row.label: row.value for row in shown.rows}, shown.note


@pytest.mark.parametrize(
    ("status", "tax_and_total"),
    [("notified", "when accepted"), ("paid", "not known yet"), ("failed", "not given")],
)
def test_null_money_is_never_zero(status: str, tax_and_total: str) -> None:
    """Rows that only some orders have are left out."""
    order = order_at(status, {}, amounts={"amount_product": 1500, "amount_pre_tax_total": 2000})
    missing = "not given" if status == "failed" else "not known yet"
    assert money_of(order) == (
        {
            "Products": "$15.00",
            "Shipping": missing,
            "Processing fee": missing,
            "Before tax": "$20.00",
            "Tax, total": tax_and_total,
        },
        "",
    )


def test_a_gift_that_was_never_accepted_is_not_charged() -> None:
    given = {"amount_product": 1, "amount_shipping": 2, "amount_processing_fee": 3}
    order = order_at("failed", {}, amounts={**given, "amount_pre_tax_total": 6})
    shown, note = money_of(order, is_uncharged=True)
    assert list(shown) == ["Products", "Shipping", "Processing fee", "Before tax"]
    assert note == "Not charged: canceled before acceptance"


def test_amounts_before_a_swap_stand_beside_the_present_ones() -> None:
    order = order_at(
        "paid",
        {},
        amounts={"amount_product": 900, "amount_total": 1200, "amount_tax": 0},
        original_amounts={"original_amount_product": 1500, "original_amount_shipping": 200},
    )
    rows = money_section(order, make_raw_values(order), is_uncharged=False).rows
    assert [(row.label, row.value, row.before) for row in rows] == [
        ("Products", "$9.00", "$15.00"),
        ("Shipping", "", "$2.00"),
        ("Processing fee", "not given", ""),
        ("Before tax", "not given", ""),
        ("Tax", "$0.00", ""),
        ("Total", "$12.00", ""),
    ]


def test_an_open_gift_offers_both(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="opened", no_expiry="false")
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert why(page) == ""
    assert url("order_cancel", order_id) in page
    assert url("order_expiration", order_id) in page


def why(page: str) -> str:
    """Return the sentences in place of the actions, "" if there are none."""
    found = re.search(r'<p class="order-head__why.*?</p>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[0]).strip() if found else ""


def test_a_viewer_reads_who_may_and_is_offered_nothing(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="opened")
    page = text(as_role("viewer").get(url("order_detail", order_id)))
    assert why(page) == "Your role may not cancel or extend gifts. An admin can make you an agent."
    assert url("order_cancel", order_id) not in page
    assert url("order_expiration", order_id) not in page


def test_accepted_order_has_a_support_message_and_no_actions(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="accepted")
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert why(page) == (
        "Cannot be canceled or extended: the recipient accepted it. "
        "Ask Goody support (support@ongoody.com)."
    )
    assert "Copy hand-off" in page
    assert f"Order id: {order_id}" in page
    assert url("order_cancel", order_id) not in page


def test_an_unknown_status_is_raw_and_allows_nothing(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="opened")
    emulator.change_order(order_id, status="<teleported>")
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert "Unknown: &lt;teleported&gt;" in page
    assert why(page) == (
        "Cannot be canceled or extended: Goody reports a status that this dashboard does not know. "
        "Look at the order on Goody&#x27;s own page."
    )
    assert url("order_cancel", order_id) not in page


@pytest.mark.parametrize(
    ("status", "word", "end"),
    [
        ("failed", "Canceled or failed", "Canceled or failed outside this dashboard"),
        ("canceled", "Canceled", "Canceled outside this dashboard"),
    ],
)
def test_cancel_by_others_is_distinguished(
    emulator: Any, as_role: Any, status: str, word: str, end: str
) -> None:
    order_id = emulator.find_order_id(status="opened")
    emulator.change_order(order_id, status=status)
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert f'<span class="badge__word">{word}</span>' in page
    assert end in page
    assert f"Goody reports “{status}”." in page


@pytest.mark.parametrize(
    ("state", "was_sent", "where"),
    [
        *((state, True, "") for state in ("sending", "unknown", "needs_human", "not_applied")),
        ("refused", True, ""),
        ("refused", False, " outside this dashboard"),
    ],
)
def test_possible_own_cancel_is_not_attributed_to_others(
    emulator: Any, as_role: Any, state: str, was_sent: bool, where: str
) -> None:
    order_id = emulator.find_order_id(status="opened")
    emulator.change_order(order_id, status="accepted")
    emulator.change_order(order_id, status="failed")
    now = timezone.now()
    sent_at = now if was_sent else None
    store_operation(order_uuid=order_id, state=state, sent_at=sent_at, unknown_at=now)
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert f"Canceled or failed{where} (Goody gives neither time nor person)" in page


def test_fields_that_could_not_be_read_are_named(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="opened")
    emulator.change_order(order_id, view_count_recipient="many")
    page = text(as_role("agent").get(url("order_detail", order_id)))
    assert "Some fields could not be read." in page
    assert "view_count_recipient" in page


def test_without_goody_the_copy_is_shown_with_its_date_and_the_reason(
    emulator: Any, as_role: Any
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    assert client.get(url("order_detail", order_id)).status_code == 200
    emulator.add_fault({"kind": "status", "status": 503}, path="/v1/orders/")
    answer = client.get(url("order_detail", order_id))
    assert answer.status_code == 200
    assert why(text(answer)) == (
        "Goody reported an internal error. This is our copy. "
        "Nothing can be changed until Goody answers. Try again"
    )


def test_an_order_that_goody_lost_is_flagged_and_kept(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    client.get(url("order_detail", order_id))
    emulator.add_fault({"kind": "status", "status": 404}, path="/v1/orders/")
    answer = client.get(url("order_detail", order_id))
    assert answer.status_code == 200
    assert "Goody does not know this order (right environment?)" in text(answer)


@pytest.mark.parametrize("status", [503, 404])
def test_actions_ruled_out_by_the_copy_are_not_offered(
    emulator: Any, as_role: Any, status: int
) -> None:
    client = as_role("agent")
    order_id = open_order(emulator, expires_at="2099-01-01T00:00:00Z")
    undo = reverse("operation_undo", args=[order_id, extend(order_id, may_shorten=True).pk])
    assert undo in text(client.get(url("order_detail", order_id)))
    emulator.add_fault({"kind": "status", "status": status}, path="/v1/orders/")
    page = text(client.get(url("order_detail", order_id)))
    assert "Nothing can be changed" in why(page)
    assert undo not in page
    assert url("order_cancel", order_id) not in page
    assert url("order_expiration", order_id) not in page


def test_replaced_row_stays_flagged(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    address, row = url("order_detail", order_id), htmx(f"tr#order-{order_id}", "/orders/")
    cancel_url = f'href="{order_id}/cancel/"'
    assert cancel_url in text(client.get(address, headers=row))
    emulator.add_fault({"kind": "status", "status": 404}, path="/v1/orders/")
    client.get(address)
    shown = text(client.get(address, headers=row))
    assert "Goody does not know it any more" in shown
    assert cancel_url not in shown


def test_404_is_shown_although_another_read_started_later(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    client.get(url("order_detail", order_id))
    models.Order.objects.update(read_at=timezone.now() + timedelta(seconds=30))
    emulator.add_fault({"kind": "status", "status": 404}, path="/v1/orders/")
    page = text(client.get(url("order_detail", order_id)))
    assert "Goody does not know this order (right environment?)" in page


def test_unknown_id_is_404(emulator: Any, as_role: Any) -> None:
    assert as_role("agent").get(url("order_detail", uuid4())).status_code == 404


def test_back_leads_to_the_list_it_came_from_and_nowhere_else(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    there = "/orders/?per_page=25"
    back = f'<a class="clip" href="{there}#order-{order_id}">'
    assert back in text(client.get(url("order_detail", order_id, next=there)))
    for evil in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"):
        page = text(client.get(url("order_detail", order_id, next=evil)))
        assert "evil" not in page
        assert "alert(1)" not in page


def test_htmx_gets_the_part_and_everybody_else_the_page(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    address = url("order_detail", order_id)
    part = text(client.get(address, headers=htmx("div#order-detail")))
    assert part.strip().startswith('<div id="order-detail"')
    assert "<html" not in part
    row = text(client.get(address, headers=htmx(f"tr#order-{order_id}")))
    assert row.strip().startswith(f'<tr id="order-{order_id}"')
    assert "<html" in text(client.get(address, headers=htmx("div#elsewhere")))


def test_poll_does_not_call_goody(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    client.get(url("order_detail", order_id))
    before = emulator.calls()["total"]
    client.get(url("order_detail", order_id, poll="1"), headers=htmx("div#order-detail"))
    client.get(url("order_detail", order_id), headers=htmx(f"tr#order-{order_id}"))
    assert emulator.calls()["total"] == before


def test_post_is_refused(emulator: Any, as_role: Any) -> None:
    assert as_role("admin").post(url("order_detail", emulator.find_order_id())).status_code == 405


def test_the_progress_shows_times_known_and_marks_stages_without_a_time() -> None:
    times = {"created_at": TIMES["created_at"], "paid_at": TIMES["paid_at"]}
    order = order_at("shipped", times)
    states = {step.name: step.state for step in progress(order)}
    assert states == {
        "created": "done",
        "notified": "unknown",
        "opened": "unknown",
        "accepted": "unknown",
        "paid": "done",
        "shipped": "now",
        "delivered": "ahead",
    }


def progress(order: Order) -> list[OrderStep]:
    clock = RequestClock(datetime(2026, 7, 1, tzinfo=UTC), ZoneInfo("UTC"))
    return order_steps(order, make_raw_values(order), end=order_end(order, None), clock=clock)


def make_raw_values(order: Order) -> RawValues:
    return RawValues(order, may_read_messages=True)


def test_an_ended_order_has_its_end_in_place_of_the_stages_ahead() -> None:
    order = order_at("failed", {"created_at": TIMES["created_at"]})
    shown = [(step.label, step.state) for step in progress(order)]
    assert shown == [("Created", "done"), ("Canceled or failed", "ended")]


@pytest.mark.parametrize(
    ("status", "label", "after"),
    [("ordered", "Ordered", ["Shipped"]), ("pending_payment", "Payment pending", ["Paid"])],
)
def test_a_status_without_an_event_of_its_own_is_a_step_while_it_lasts(
    status: str, label: str, after: list[str]
) -> None:
    found = progress(order_at(status, {"created_at": TIMES["created_at"]}))
    labels = [step.label for step in found]
    assert [step.label for step in found if step.current] == [label]
    assert labels[labels.index(label) + 1 :][:1] == after
    assert label not in [step.label for step in progress(order_at("shipped", {}))]


def test_steps_before_an_undocumented_status_are_unknown() -> None:
    states = {step.state for step in progress(order_at("on_hold", {}))}
    assert states == {"unknown"}


def order_at(status: str, times: dict[str, str], **fields: Any) -> Order:
    raw = {"id": str(uuid4()), "status": status, "event_times": times, **fields}
    return parse_order(msgspec.json.encode(raw))


def test_unmatched_selections_are_listed_separately() -> None:
    raw = {"id": str(uuid4()), "status": "paid", "cart": cart("A")}
    raw["cart_selections"] = [
        {"id": str(uuid4()), "cart_item_id": str(uuid4()), "quantity_index": 0, "variants": ["Red"]}
    ]
    order = parse_order(msgspec.json.encode(raw))
    gift = sections.current_gift(order, make_raw_values(order))
    assert gift.unmatched == ["unit 1: Red"]
    assert gift.items[0].variants == []


def test_raw_json_that_can_not_be_read_is_shown_as_it_came() -> None:
    assert pretty_json(b"{broken") == "{broken"
    assert pretty_json(b'{"a":1}') == '{\n  "a": 1\n}'
    assert pretty_json(b"[" * 100_000).startswith("[[[")


def test_lone_surrogate_is_shown_on_the_page_and_in_raw_json(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="opened")
    emulator.change_order(order_id, message="odd \ud800 text", **{"odd\ud800name": 1})
    page = text(as_role("admin").get(url("order_detail", order_id)))
    assert "odd \\ud800 text" in page.partition("Raw JSON")[2]
    assert "odd�name" in page.partition("does not name")[2].partition("</p>")[0]


@pytest.mark.parametrize("after_the_refusal", [False, True])
def test_rejected_key_is_shown_to_admins_only(
    emulator: Any, as_role: Any, after_the_refusal: bool
) -> None:
    order_id = emulator.find_order_id(status="opened")
    people = {role: as_role(role) for role in ("agent", "admin")}
    people["agent"].get(url("order_detail", order_id))
    emulator.add_fault({"kind": "status", "status": 401})
    first, second = ("admin", "agent") if after_the_refusal else ("agent", "admin")
    pages = {
        role: text(people[role].get(url("order_detail", order_id))) for role in (first, second)
    }
    assert "API key" in pages["admin"]
    assert "API key" not in pages["agent"]
    assert "no working connection to Goody at present" in pages["agent"]
    dialog_of_the_agent = text(people["agent"].get(url("order_cancel", order_id)))
    assert "API key" not in dialog_of_the_agent
    assert "no working connection" in dialog_of_the_agent


def test_the_stored_copy_is_what_the_poll_shows(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    client.get(url("order_detail", order_id))
    view = services.stored_order(UUID(order_id))
    assert view is not None
    part = text(client.get(url("order_detail", order_id, poll="1"), headers=htmx("x#order-detail")))
    assert f'datetime="{formats.iso_utc(view.as_of)}"' in part
