"""An order has the keys, in the order, and the forms of the values that Goody's examples show."""

import re
from string import ascii_letters, ascii_uppercase, digits
from typing import Any

import pytest

from emulator.clock import format_datetime
from emulator.store import OrderStore
from emulator.tests.conftest import NOW, Goody

Order = dict[str, Any]

KEYS = [
    "id", "status", "individual_gift_link", "recipient_first_name", "recipient_last_name",
    "recipient_email", "card_id", "message", "thank_you_note", "view_count_recipient", "is_swapped",
    "order_batch_id", "expires_at", "cart", "shipments", "amounts", "sender", "workspace_id",
    "workspace_name", "original_cart", "original_amounts", "payment_link", "reference_id",
]  # fmt: skip
AMOUNTS = [
    "amount_product", "amount_shipping", "amount_processing_fee", "amount_pre_tax_total",
    "amount_tax", "amount_total", "amount_global_relay_cost",
]  # fmt: skip
SHIPMENT = [
    "id", "status", "brand_name", "tracking_carrier", "shipped_at", "delivered_at", "delivery_eta",
]  # fmt: skip
EVENT_TIMES = [
    "created_at", "notified_at", "opened_at", "accepted_at", "thank_you_added_at",
    "pending_payment_at", "paid_at", "shipped_at", "delivered_at",
]  # fmt: skip
REQUIRED = {
    "id", "status", "reference_id", "recipient_first_name", "individual_gift_link", "cart",
    "shipments", "amounts", "sender",
}  # fmt: skip
NOTE = {"status": "accepted", "thank_you_note": "Thanks"}


@pytest.fixture(scope="module")
def store() -> OrderStore:
    return OrderStore(orders=5_000, seed=4, now=NOW)


@pytest.fixture(scope="module")
def orders(store: OrderStore) -> list[Order]:
    return [store.render_order_detail(index) for index in range(5_000)]


def rows(goody: Goody) -> list[Order]:
    pages = range(1, 7)
    return [
        row
        for page in pages
        for row in goody.get(f"/v1/orders?per_page=100&page={page}").json()["data"]
    ]


def characters(texts: list[str]) -> set[str]:
    return set().union(*texts)


def test_an_order_has_every_key_of_the_examples(orders: list[Order]) -> None:
    for order in orders:
        assert [name for name in order if name != "cart_selections"] == [*KEYS, "event_times"]


def test_amounts_have_the_keys_of_the_examples_and_credit_only_when_applied(
    orders: list[Order],
) -> None:
    for amounts in (order["amounts"] for order in orders):
        assert [name for name in amounts if name != "amount_credit_applied"] == AMOUNTS
        assert amounts.get("amount_credit_applied", 1) > 0


def test_a_shipment_has_the_keys_of_the_examples_and_tracking_for_partners_only(
    orders: list[Order],
) -> None:
    tracked = [*SHIPMENT, "tracking_number", "tracking_url"]
    shapes = [list(shipment) for order in orders for shipment in order["shipments"]]
    assert SHIPMENT in shapes
    assert tracked in shapes
    assert [shape for shape in shapes if shape not in (SHIPMENT, tracked)] == []


def test_event_times_are_null_until_the_event(orders: list[Order]) -> None:
    for order in orders:
        times = order["event_times"]
        assert list(times) == EVENT_TIMES
        assert (times["thank_you_added_at"] is None) is (order["thank_you_note"] is None)
        assert (times["accepted_at"] is None) is (
            order["status"] in ("created", "notified", "opened", "failed")
        )


def test_thank_you_added_at_follows_the_note(goody: Goody) -> None:
    order_id = goody.one("status=opened")
    goody.control("clock", {"now": "2027-01-01T00:00:00Z"})
    noted = goody.control(f"orders/{order_id}", NOTE)["event_times"]["thank_you_added_at"]
    assert noted[:16] == "2027-01-01T00:00"
    goody.control(f"orders/{order_id}", {"thank_you_note": None})
    assert goody.order(order_id)["event_times"]["thank_you_added_at"] is None


def test_a_new_order_has_every_key_too(goody: Goody) -> None:
    (created,) = goody.control("orders", {"count": 1})["orders"]
    assert [name for name in created if name != "cart_selections"] == [*KEYS, "event_times"]
    assert list(created["event_times"]) == EVENT_TIMES


def test_lean_orders_leave_out_what_the_schema_does_not_require(goody: Goody) -> None:
    full = rows(goody)
    goody.control("switches", {"lean_orders": "on"})
    lean = rows(goody)
    left_out = [(row, row.keys() - other.keys()) for row, other in zip(full, lean, strict=True)]
    assert any(names for _, names in left_out)
    for row, names in left_out:
        assert not names & REQUIRED
        assert {row[name] for name in names} <= {None, False}


def test_receipt_numbers_use_all_capitals_and_digits(orders: list[Order]) -> None:
    receipts = [order["reference_id"] for order in orders]
    assert {len(receipt) for receipt in receipts} == {24}
    assert characters(receipts) == set(ascii_uppercase + digits)
    assert len(set(receipts)) == 5_000


def test_link_tokens_use_letters_of_both_cases_and_digits(orders: list[Order]) -> None:
    links = [order["individual_gift_link"] for order in orders]
    tokens = [link.removeprefix("https://gifts.ongoody.com/gift/") for link in links]
    assert {len(token) for token in tokens} == {24}
    assert characters(tokens) == set(ascii_letters + digits)
    assert len(set(tokens)) == 5_000


def test_payment_links_of_accepted_orders_and_pending_payments(orders: list[Order]) -> None:
    """Goody's example of an accepted order has one, and it is live while payment is pending."""
    linked = [order for order in orders if order["payment_link"] is not None]
    assert {order["status"] for order in linked} == {"accepted", "pending_payment"}
    form = re.compile("https://checkout[.]ongoody[.]com/checkout[?]key=[A-Za-z0-9]{24}")
    assert [o["payment_link"] for o in linked if not form.fullmatch(o["payment_link"])] == []
    assert all("cart_selections" in order for order in linked)


def test_views_may_be_zero_when_opened(orders: list[Order]) -> None:
    def views(is_opened: bool) -> set[int]:
        chosen = [o for o in orders if (o["event_times"]["opened_at"] is not None) is is_opened]
        return {order["view_count_recipient"] for order in chosen}

    assert views(is_opened=True) == set(range(6))
    assert views(is_opened=False) == {0}


def test_is_swapped_stands_with_the_original_cart_and_amounts(orders: list[Order]) -> None:
    for order in orders:
        swapped = order["is_swapped"]
        assert (order["original_cart"] is not None) is swapped
        assert (order["original_amounts"] is not None) is swapped
    assert any(order["is_swapped"] for order in orders)


def test_an_order_that_is_not_accepted_any_more_is_not_swapped(goody: Goody) -> None:
    order_id = goody.one("swapped=1")
    for status, is_swapped in (("notified", False), ("accepted", True)):
        order = goody.control(f"orders/{order_id}", {"status": status})
        assert order["is_swapped"] is is_swapped
        assert (order["original_cart"] is not None) is is_swapped


def test_times_are_whole_seconds_with_z(orders: list[Order]) -> None:
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    for order in orders:
        times = [order["expires_at"], *order["event_times"].values()]
        assert all(form.fullmatch(at) for at in times if at is not None)
    assert format_datetime(NOW) == "2026-11-22T00:00:00Z"
