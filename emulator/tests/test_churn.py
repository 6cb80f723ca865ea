"""POST /_emulator/churn: life goes on, at random, repeatably, and everything tells the same."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.churn import KINDS
from emulator.tests.conftest import Goody

Answer = dict[str, Any]
FEED = "/v1/order_activities"
# What each kind leaves in the feed, for each order it happens to; the others leave nothing.
REPORTED = {
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
# From which status each kind leads, and to which; None: it stays.
STEPS: dict[str, tuple[set[str], str | None]] = {
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
ALTERED = {"expiration": "expires_at", "thank": "thank_you_note", "swap": "original_cart"}


def churn(goody: Goody, **body: Any) -> Answer:
    # Later than all that was born in the store's last second.
    goody.control("clock", {"advance_seconds": 5})
    return goody.control("churn", body)


def truth(goody: Goody) -> dict[str, Answer]:
    return {order["id"]: order for order in goody.ask("truth?limit=10000")["orders"]}


def walk(goody: Goody, path: str) -> list[Answer]:
    found: list[Answer] = []
    for page in range(1, 1000):
        rows = goody.get(f"{path}?per_page=100&page={page}").json()["data"]
        found += rows
        if len(rows) < 100:
            return found
    raise AssertionError("no end")


def test_it_answers_what_it_did(goody: Goody) -> None:
    answer = churn(goody, seed=7, changes=300)
    assert len(answer["changes"]) == 300
    assert answer["counts"] == Counter(change["kind"] for change in answer["changes"])
    assert answer["counts"].keys() == KINDS.keys()
    sizes = [len(change["ids"]) for change in answer["changes"] if change["kind"] == "batch"]
    assert all(1 <= size <= 40 for size in sizes)
    assert max(sizes) > 10
    others = [change for change in answer["changes"] if change["kind"] != "batch"]
    assert {len(change["ids"]) for change in others} == {1}


def test_equal_seeds_do_equal_things_and_others_do_not(goody: Goody) -> None:
    first = [churn(goody, seed=7, changes=60), churn(goody, seed=8, changes=60)]
    goody.control("reset")
    assert [churn(goody, seed=7, changes=60), churn(goody, seed=8, changes=60)] == first
    goody.control("reset")
    assert churn(goody, seed=8, changes=60) != first[1]


def test_each_change_is_what_its_kind_says(goody: Goody) -> None:
    """One at a time, with a look at the order before and after."""
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
            (was,), (now,), (sources, target) = [before[i] for i in ids], after, STEPS[kind]
            assert was["status"] in sources
            assert (now["status"], now["id"]) == (target or was["status"], ids[0])
            if kind in ALTERED:
                assert now[ALTERED[kind]] != was.get(ALTERED[kind])
        before |= {order["id"]: order for order in after}
    assert before == truth(goody)


def test_lists_feed_details_and_ledger_tell_the_same_afterwards(goody: Goody) -> None:
    feed_before = walk(goody, FEED)
    answer = churn(goody, seed=3, changes=400)
    orders = truth(goody)
    made = [i for change in answer["changes"] if change["kind"] == "batch" for i in change["ids"]]
    assert len(orders) == 600 + len(made)

    listed = walk(goody, "/v1/orders")
    assert [row["id"] for row in listed] == list(reversed(orders))
    plain = [
        {name: value for name, value in order.items() if name != "event_times"}
        for order in orders.values()
    ]
    assert listed == list(reversed(plain))

    told = walk(goody, FEED)
    new = told[: len(told) - len(feed_before)]
    assert [one["id"] for one in told[len(new) :]] == [one["id"] for one in feed_before]
    expected = Counter(
        (order_id, REPORTED[change["kind"]])
        for change in answer["changes"]
        for order_id in change["ids"]
        if change["kind"] in REPORTED
    )
    assert Counter((one["order"]["id"], one["order_status"]) for one in new) == expected
    for one in new:
        order, name = orders[one["order"]["id"]], f"{one['order_status']}_at"
        assert one["created_at"] == order["event_times"].get(name, one["created_at"])
        assert one["order"]["status"] == order["status"]

    entries = goody.ask("ledger?kind=control")["entries"]
    altered = [change for change in answer["changes"] if change["kind"] != "batch"]
    assert [entry["order_id"] for entry in entries] == [change["ids"][0] for change in altered]
    assert all(entry["applied"] for entry in entries)


def test_kinds_choose_and_what_finds_no_order_does_not_happen(goody: Goody) -> None:
    answer = churn(goody, changes=40, kinds=["cancel", "expiration"])
    assert answer["counts"].keys() == {"cancel", "expiration"}
    assert goody.get("/v1/orders").json()["list_meta"]["total_count"] == 600
    answer = churn(goody, changes=2_000, kinds=["cancel"])
    assert 0 < answer["counts"]["cancel"] < 600
    assert churn(goody, changes=1, kinds=["cancel"]) == {"counts": {}, "changes": []}
    assert churn(goody, changes=1, kinds=[]) == {"counts": {}, "changes": []}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"kinds": ["refund"]}, "unknown kind refund"),
        ({"changes": -1}, "changes is a whole number between 0 and 10,000"),
        ({"changes": 10_001}, "changes is a whole number between 0 and 10,000"),
        ({"changes": "many"}, "changes is a whole number"),
    ],
)
def test_what_cannot_be_done_is_said(goody: Goody, body: Any, sentence: str) -> None:
    response = goody.session.post(f"{goody.url}/_emulator/churn", json=body, timeout=5)
    assert response.status_code == 400
    assert sentence in response.json()["error"]


def test_it_goes_on_while_others_read(goody: Goody) -> None:
    """Every page is sound by itself; none of the orders there before is lost from the feed."""
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
    told = {one["order"]["id"] for one in walk(goody, FEED)}
    assert before < told == set(truth(goody))


def test_truth_comes_in_parts_that_do_not_move(goody: Goody) -> None:
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


def test_truth_of_some_and_of_the_hidden(goody: Goody) -> None:
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
