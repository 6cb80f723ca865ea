"""The generated data: deterministic, consistent and varied."""

from collections import Counter
from typing import Any

import pytest

from emulator.clock import format_datetime
from emulator.ids import IdCodec, is_uuid
from emulator.order_columns import STATUSES, unpack_event
from emulator.rules import OPEN
from emulator.sample_texts import HOSTILE
from emulator.server import running_server
from emulator.store import OrderStore
from emulator.tests.conftest import NOW, Goody

Order = dict[str, Any]
BEFORE_ACCEPTANCE = ("created", "notified", "opened", "failed")


@pytest.fixture(scope="module")
def store() -> OrderStore:
    return OrderStore(orders=5_000, seed=4, now=NOW)


@pytest.fixture(scope="module")
def orders(store: OrderStore) -> list[Order]:
    return [store.render_order_detail(index) for index in range(5_000)]


def first_pages(*, seed: int, now: int) -> list[bytes]:
    with running_server(orders=300, seed=seed, now=now) as server:
        goody = Goody(server)
        return [goody.get(f"/v1/orders?per_page=100&page={page}").content for page in (1, 2, 3)]


def test_equal_arguments_give_byte_equal_pages() -> None:
    pages = first_pages(seed=4, now=NOW)
    assert first_pages(seed=4, now=NOW) == pages
    assert first_pages(seed=5, now=NOW) != pages
    assert first_pages(seed=4, now=NOW - 86_400) != pages


def test_another_day_moves_all_times_and_changes_nothing_else() -> None:
    """A test that finds an accepted order among a few hundred finds one on every day."""
    here, later = (
        OrderStore(orders=300, seed=1, now=now).columns for now in (NOW, NOW + 100 * 86_400)
    )
    assert (here.status, here.flags) == (later.status, later.flags)
    for name, column in here.times.items():
        assert [at and at + 100 * 86_400 for at in column] == list(later.times[name])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_first_page_has_many_different_gifts(seed: int) -> None:
    store = OrderStore(orders=5_000, seed=seed, now=NOW)
    page, _ = store.list_orders(after=None, before=None, skip=0, count=50)

    def different(name: str) -> int:
        return len({repr(order[name]) for order in page})

    assert different("order_batch_id") >= 15
    assert different("cart") >= 15
    assert different("amounts") >= 15
    assert different("sender") >= 5
    assert different("workspace_name") >= 4
    assert different("status") >= 3


def test_most_batches_are_small_and_few_have_most_orders(store: OrderStore) -> None:
    sizes = sorted(Counter(store.columns.batch).values())
    assert sizes[len(sizes) // 2] <= 2
    assert sizes[-1] > 100
    tenth = sizes[-len(sizes) // 10 :]
    assert sum(tenth) > 0.5 * sum(sizes)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_that_need_attention(seed: int) -> None:
    store = OrderStore(orders=5_000, seed=seed, now=NOW)
    rows = [store.render_order(index) for index in range(5_000)]
    expires = [store.expiration_of(n) for n, row in enumerate(rows) if row["status"] in OPEN]
    ahead = [at - NOW for at in expires if at is not None]
    failed = ("failed", "failed_unset_tracking", "failed_with_reship")
    assert sum(left <= 0 for left in ahead) > 200
    assert sum(0 < left <= 86_400 for left in ahead) > 15
    assert sum(0 < left <= 7 * 86_400 for left in ahead) > 50
    assert sum(row["status"] == "pending_payment" for row in rows) > 20
    assert sum(row["is_swapped"] for row in rows) > 100
    assert sum(any(s["status"] in failed for s in row["shipments"]) for row in rows) > 20


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_small_numbers(count: int) -> None:
    assert len(OrderStore(orders=count, seed=1, now=NOW)) == count


def test_ids_decode_to_their_row_numbers_and_are_unique() -> None:
    """An id that decodes belongs to one row only, so that a sample is enough."""
    space = IdCodec(seed=1, name="order")
    sample = [*range(2_000), *range(2_000, 1_000_000, 499), 999_999]
    ids = [space.encode(number) for number in sample]
    assert [space.decode(text) for text in ids] == sample
    assert len(set(ids)) == len(sample)
    assert all(is_uuid(text) and text[14] == "4" and text[19] in "89ab" for text in ids)


def test_foreign_ids_decode_to_none() -> None:
    space = IdCodec(seed=1, name="order")
    for other in (IdCodec(seed=2, name="order"), IdCodec(seed=1, name="batch")):
        assert [space.decode(other.encode(number)) for number in range(200)] == [None] * 200
    assert space.decode("not a uuid") is None


def test_orders_are_sorted_by_creation_up_to_now(store: OrderStore) -> None:
    created = list(store.columns.created)
    assert created == sorted(created)
    assert created[-1] <= NOW
    assert NOW - created[0] > 600 * 86_400


def test_events_are_sorted_and_agree_with_the_orders(store: OrderStore) -> None:
    events_found = set()
    for code, events in store.columns.events.items():
        assert list(events) == sorted(set(events))
        events_found |= {(index, STATUSES[code], at) for at, index, _ in map(unpack_event, events)}
    expected = {
        (index, status, at)
        for index in range(len(store))
        for status, at in store.stored_order(index).times.items()
    }
    assert events_found == {one for one in expected if one[1] not in ("notified", "accepted")}
    assert max(at for _, _, at in events_found) <= NOW


def test_every_status_but_canceled_occurs(orders: list[Order]) -> None:
    counts = Counter(order["status"] for order in orders)
    assert counts.keys() == set(STATUSES) - {"canceled"}
    assert counts["delivered"] > 2_000
    assert sum(counts[status] for status in OPEN) > 500


def test_orders_of_a_batch_share_the_values_of_the_batch(orders: list[Order]) -> None:
    shared = ("sender", "message", "workspace_id", "card_id", "expires_at")
    batches: dict[str, set[str]] = {}
    for order in orders:
        values = repr([order.get(name) for name in shared])
        cart = repr(order.get("original_cart") or order["cart"])
        batches.setdefault(order["order_batch_id"], set()).add(values + cart)
    assert len(batches) < 2_000
    assert {len(kinds) for kinds in batches.values()} == {1}


def test_amounts_add_up_and_tax_is_null_before_acceptance(orders: list[Order]) -> None:
    for order in orders:
        amounts = order["amounts"]
        fee = amounts["amount_processing_fee"] or 0
        pre_tax = amounts["amount_product"] + amounts["amount_shipping"] + fee
        assert amounts["amount_pre_tax_total"] == pre_tax
        if order["status"] in BEFORE_ACCEPTANCE:
            assert amounts["amount_tax"] is None
            assert amounts["amount_total"] is None
        else:
            relay = amounts["amount_global_relay_cost"] or 0
            assert amounts["amount_total"] == pre_tax + amounts["amount_tax"] + relay


def test_swapped_orders_keep_the_original_cart(orders: list[Order]) -> None:
    swapped = [order for order in orders if order.get("is_swapped")]
    assert len(swapped) > 50
    for order in swapped:
        assert order["original_cart"] != order["cart"]
        assert order["original_amounts"].keys() == {
            "original_amount_product",
            "original_amount_shipping",
            "original_amount_credit_applied",
            "original_amount_pre_tax_total",
        }
        assert order["status"] not in BEFORE_ACCEPTANCE


def test_shipments_in_every_documented_state(orders: list[Order]) -> None:
    states = {shipment["status"] for order in orders for shipment in order["shipments"]}
    assert states == {
        "pending", "tracking", "shipped", "delivered", "delivered_override", "failed",
        "failed_unset_tracking", "failed_with_reship",
    }  # fmt: skip
    shipping = ("shipped", "delivered")
    assert all(bool(o["shipments"]) is (o["status"] in shipping) for o in orders)


def test_a_shipped_order_has_a_shipment_that_was_shipped(
    orders: list[Order],
) -> None:
    shipped = [order for order in orders if order["status"] == "shipped"]
    states = [[shipment["status"] for shipment in order["shipments"]] for order in shipped]
    assert all(set(shipments) - {"pending", "tracking"} for shipments in states)
    assert 10 < sum("shipped" not in shipments for shipments in states) < len(states) / 4
    moving = [shipments for shipments in states if "shipped" in shipments]
    assert {shipments.index("shipped") for shipments in moving} >= {0, 1}
    assert sum("delivered" in shipments for shipments in states) > 3
    for order in shipped:
        for shipment in order["shipments"]:
            times = (shipment["shipped_at"], shipment["delivered_at"])
            moved, arrived = (shipment["status"] not in ("pending", "tracking")), times[1]
            assert times[0] == (order["event_times"]["shipped_at"] if moved else None)
            assert (arrived is not None) is (shipment["status"] == "delivered")
            assert arrived is None or times[0] < arrived <= format_datetime(NOW)


def test_all_shipments_of_a_delivered_order_are_delivered(orders: list[Order]) -> None:
    for order in (order for order in orders if order["status"] == "delivered"):
        for shipment in order["shipments"]:
            assert shipment["status"] in ("delivered", "delivered_override")
            assert shipment["delivered_at"] == order["event_times"]["delivered_at"]


def test_selections_refer_to_items_or_to_none(orders: list[Order]) -> None:
    chosen = [order for order in orders if "cart_selections" in order]
    matching = []
    for order in chosen:
        items = {item["id"] for item in order["cart"]["items"]}
        matching.append({line["cart_item_id"] in items for line in order["cart_selections"]})
    assert {True} in matching
    assert {False} in matching
    assert len(chosen) < len(orders) / 2


def test_event_times_are_in_order(orders: list[Order]) -> None:
    for order in orders:
        times = [at for name, at in order["event_times"].items() if at and "thank" not in name]
        assert times == sorted(times)


def test_expired_soon_expiring_and_never_expiring_orders(store: OrderStore) -> None:
    rows = [i for i in range(len(store)) if store.status_of(i) in OPEN]
    assert sum(store.is_expired(i) for i in rows) > 100
    moments = [store.expiration_of(i) for i in rows]
    assert sum(at is not None and NOW < at < NOW + 3 * 86_400 for at in moments) > 20
    assert moments.count(None) > 20


def test_nulls_where_the_schema_allows(orders: list[Order]) -> None:
    for name in (
        "recipient_last_name", "payment_link", "card_id", "thank_you_note", "recipient_email",
        "message", "workspace_id", "expires_at",
    ):  # fmt: skip
        assert {order[name] is None for order in orders} == {True, False}, name


def test_hostile_texts_and_many_scripts(orders: list[Order]) -> None:
    names = ("recipient_first_name", "recipient_last_name")
    texts = {order[name] for order in orders for name in names}
    assert texts >= set(HOSTILE)
    for script in ("José", "Ольга", "Ελένη", "محمد", "小龍", "지우", "สมชาย", "👩‍🚀 Ada"):
        assert script in texts


def test_addresses_are_not_unique(orders: list[Order]) -> None:
    emails = Counter(order["recipient_email"] for order in orders if order["recipient_email"])
    assert max(emails.values()) > 1
    assert all(email.endswith((".test", "example.com")) for email in emails)
