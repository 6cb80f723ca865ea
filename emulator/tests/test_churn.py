"""POST /_emulator/churn and /_emulator/truth."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.random_changes import CHANGE_KINDS
from emulator.tests.conftest import Goody

Answer = dict[str, Any]
FEED = "/v1/order_activities"
# The feed entry of each kind for each changed order; the other kinds have none.
FEED_ENTRIES = {
    "batch": "created",
    "open": "opened",
    "bill": "pending_payment",
    "pay": "paid",
    "order": "ordered",
    "ship": "shipped",
    "deliver": "delivered",
    "cancel": "failed",
}
UNACCEPTED = {"created", "notified", "opened"}
ACCEPTED = {"accepted", "pending_payment", "paid", "ordered", "shipped", "delivered"}
# The statuses each kind applies to, and the one it sets; None: unchanged.
TRANSITIONS: dict[str, tuple[set[str], str | None]] = {
    "notify": ({"created"}, "notified"),
    "open": ({"created", "notified"}, "opened"),
    "accept": ({"opened"}, "accepted"),
    "swap": ({"opened"}, "accepted"),
    "bill": ({"accepted"}, "pending_payment"),
    "pay": ({"pending_payment"}, "paid"),
    "order": ({"paid"}, "ordered"),
    "ship": ({"ordered"}, "shipped"),
    "deliver": ({"shipped"}, "delivered"),
    "cancel": (UNACCEPTED, "failed"),
    "expiration": (UNACCEPTED, None),
    "thank": (ACCEPTED, None),
}
CHANGED_FIELD = {"expiration": "expires_at", "thank": "thank_you_note", "swap": "original_cart"}


def churn(goody: Goody, **body: Any) -> Answer:
    # After every order of the current second.
    goody.control("clock", {"advance_seconds": 5})
    return goody.control("churn", body)


def truth(goody: Goody) -> dict[str, Answer]:
    return {order["id"]: order for order in goody.ask("truth?limit=10000")["orders"]}


def read_all_pages(goody: Goody, path: str) -> list[Answer]:
    found: list[Answer] = []
    for page in range(1, 1000):
        rows = goody.get(f"{path}?per_page=100&page={page}").json()["data"]
        found += rows
        if len(rows) < 100:
            return found
    raise AssertionError("no end")


def test_the_answer_counts_and_lists_the_changes(goody: Goody) -> None:
    answer = churn(goody, seed=7, changes=300)
    assert len(answer["changes"]) == 300
    assert answer["counts"] == Counter(change["kind"] for change in answer["changes"])
    assert answer["counts"].keys() == CHANGE_KINDS.keys()
    sizes = [len(change["ids"]) for change in answer["changes"] if change["kind"] == "batch"]
    assert all(1 <= size <= 40 for size in sizes)
    assert max(sizes) > 10
    others = [change for change in answer["changes"] if change["kind"] != "batch"]
    assert {len(change["ids"]) for change in others} == {1}


def test_only_equal_seeds_make_equal_changes(goody: Goody) -> None:
    first = [churn(goody, seed=7, changes=60), churn(goody, seed=8, changes=60)]
    goody.control("reset")
    assert [churn(goody, seed=7, changes=60), churn(goody, seed=8, changes=60)] == first
    goody.control("reset")
    assert churn(goody, seed=8, changes=60) != first[1]


def test_each_kind_makes_its_change(goody: Goody) -> None:
    before = truth(goody)
    for seed in range(150):
        (change,) = churn(goody, seed=seed, changes=1)["changes"]
        kind, ids = change["kind"], change["ids"]
        after = goody.control("truth", {"ids": ids})["orders"]
        if kind == "batch":
            assert not before.keys() & set(ids)
            assert len({order["order_batch_id"] for order in after}) == 1
            assert len({order["event_times"]["created_at"] for order in after}) == 1
        else:
            (was,), (now,), (sources, target) = [before[i] for i in ids], after, TRANSITIONS[kind]
            assert was["status"] in sources
            assert (now["status"], now["id"]) == (target or was["status"], ids[0])
            if kind in CHANGED_FIELD:
                assert now[CHANGED_FIELD[kind]] != was.get(CHANGED_FIELD[kind])
        before |= {order["id"]: order for order in after}
    assert before == truth(goody)


def test_lists_feed_details_and_ledger_agree_afterwards(goody: Goody) -> None:
    feed_before = read_all_pages(goody, FEED)
    answer = churn(goody, seed=3, changes=400)
    orders = truth(goody)
    made = [i for change in answer["changes"] if change["kind"] == "batch" for i in change["ids"]]
    assert len(orders) == 600 + len(made)

    listed = read_all_pages(goody, "/v1/orders")
    assert [row["id"] for row in listed] == list(reversed(orders))
    plain = [
        {name: value for name, value in order.items() if name != "event_times"}
        for order in orders.values()
    ]
    assert listed == list(reversed(plain))

    entries = read_all_pages(goody, FEED)
    new = entries[: len(entries) - len(feed_before)]
    assert [one["id"] for one in entries[len(new) :]] == [one["id"] for one in feed_before]
    expected = Counter(
        (order_id, FEED_ENTRIES[change["kind"]])
        for change in answer["changes"]
        for order_id in change["ids"]
        if change["kind"] in FEED_ENTRIES
    )
    assert Counter((one["order"]["id"], one["order_status"]) for one in new) == expected
    for one in new:
        order, name = orders[one["order"]["id"]], f"{one['order_status']}_at"
        assert one["created_at"] == order["event_times"].get(name, one["created_at"])
        assert one["order"]["status"] == order["status"]

    ledger = goody.ask("ledger?kind=control")["entries"]
    altered = [change for change in answer["changes"] if change["kind"] != "batch"]
    assert [entry["order_id"] for entry in ledger] == [change["ids"][0] for change in altered]
    assert all(entry["applied"] for entry in ledger)


def test_kinds_can_be_selected_and_changes_end_without_orders(goody: Goody) -> None:
    answer = churn(goody, changes=40, kinds=["cancel", "expiration"])
    assert answer["counts"].keys() == {"cancel", "expiration"}
    assert goody.get("/v1/orders").json()["list_meta"]["total_count"] == 600
    answer = churn(goody, changes=2_000, kinds=["cancel"])
    assert 0 < answer["counts"]["cancel"] < 600
    assert churn(goody, changes=1, kinds=["cancel"]) == {"counts": {}, "changes": []}
    assert churn(goody, changes=1, kinds=[]) == {"counts": {}, "changes": []}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kinds": ["refund"]}, "unknown kind refund"),
        ({"changes": -1}, "changes must be an integer between 0 and 10,000"),
        ({"changes": 10_001}, "changes must be an integer between 0 and 10,000"),
        ({"changes": "many"}, "changes must be an integer"),
    ],
)
def test_an_invalid_request_is_400(goody: Goody, body: Any, message: str) -> None:
    response = goody.session.post(f"{goody.url}/_emulator/churn", json=body, timeout=5)
    assert response.status_code == 400
    assert message in response.json()["error"]


def test_changes_are_visible_one_by_one_to_readers(goody: Goody) -> None:
    """Every page is consistent, and the feed loses none of the orders that existed before."""
    before = set(truth(goody))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: Goody(goody.server).control("churn", {"changes": 1_500}))
        seen: set[str] = set()
        while not running.done():
            answer = goody.get(f"{FEED}?per_page=100&statuses=created").json()
            ids = [one["id"] for one in answer["data"]]
            assert len(set(ids)) == 100
            assert answer["list_meta"]["total_count"] >= 600
            seen |= set(ids)
        assert len(running.result()["changes"]) == 1_500
    in_feed = {one["order"]["id"] for one in read_all_pages(goody, FEED)}
    assert before < in_feed == set(truth(goody))


def test_pages_of_control_orders_do_not_shift(goody: Goody) -> None:
    parts = [goody.ask(f"truth?start={start}&limit=250") for start in (0, 250)]
    churn(goody, seed=5, changes=20, kinds=["batch"])
    parts.append(goody.ask("truth?start=500&limit=1000"))
    assert [part["next"] for part in parts] == [250, 500, None]
    ids = [order["id"] for part in parts for order in part["orders"]]
    assert len(ids) == len(set(ids)) == parts[-1]["total"] > 600
    assert ids == list(truth(goody))
    assert parts[0]["orders"][17] == goody.order(ids[17])
    assert goody.ask("truth?start=100000") == {
        "orders": [],
        "hidden": [],
        "total": len(ids),
        "next": None,
    }


def test_control_orders_by_ids_include_hidden_ones(goody: Goody) -> None:
    first, second = (row["id"] for row in goody.found("status=opened&limit=2"))
    goody.control(f"orders/{second}", {"hidden": True})
    answer = goody.control("truth", {"ids": [second, first]})
    assert answer == {"orders": [goody.order(second), goody.order(first)], "hidden": [second]}
    whole = goody.ask("truth")
    assert (len(whole["orders"]), whole["hidden"]) == (600, [second])
    for path, body in (("truth?limit=0", None), ("truth?start=-1", None), ("truth", {"ids": 7})):
        method = "POST" if body else "GET"
        response = goody.session.request(
            method, f"{goody.url}/_emulator/{path}", json=body, timeout=5
        )
        assert response.status_code == 400
    unknown = {"ids": ["0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e01"]}
    assert goody.session.post(f"{goody.url}/_emulator/truth", json=unknown).status_code == 404
