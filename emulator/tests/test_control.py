"""The routes under /_emulator/: orders, clock, switches, calls, ledger and reset."""

import json
from typing import Any

import pytest

from emulator.tests.conftest import NOW, Goody


def rejection(goody: Goody, path: str, body: Any, *, method: str = "POST") -> str:
    response = goody.session.request(method, f"{goody.url}/_emulator/{path}", json=body, timeout=5)
    assert response.status_code == 400
    return response.json()["error"]


def test_found_orders_match_the_filter(goody: Goody) -> None:
    for row in goody.found("status=notified,opened&no_expiry=0&limit=50"):
        assert row["status"] in ("notified", "opened")
        assert row["expires_at"] == goody.order(row["id"])["expires_at"] is not None
    assert goody.order(goody.one("swapped=1"))["is_swapped"] is True
    assert goody.order(goody.one("no_expiry=1"))["expires_at"] is None
    assert goody.order(goody.one("has_thank_you=1"))["thank_you_note"]
    assert "cart_selections" in goody.order(goody.one("commerce=1"))
    assert "unknown filter color" in rejection(goody, "orders?color=red", None, method="GET")


def test_position_is_the_index_in_the_list(goody: Goody) -> None:
    row = goody.found("status=opened&limit=3")[2]
    page = row["position"] // 20 + 1
    rows = goody.get(f"/v1/orders?page={page}").json()["data"]
    assert rows[row["position"] % 20]["id"] == row["id"]


def test_expires_within_hours(goody: Goody) -> None:
    row = goody.found("status=notified&limit=1")[0]
    goody.control(f"orders/{row['id']}", {"expires_at": "2026-11-22T05:00:00Z"})
    assert row["id"] in [found["id"] for found in goody.found("expires_within_hours=6&limit=600")]
    assert row["id"] not in [
        found["id"] for found in goody.found("expires_within_hours=2&limit=600")
    ]


def test_accepting_and_swapping_an_order(goody: Goody) -> None:
    order_id = goody.one("status=opened")
    before = goody.order(order_id)
    after = goody.control(f"orders/{order_id}", {"status": "accepted", "swap": True})
    assert after == goody.order(order_id)
    assert after["status"] == "accepted"
    assert after["event_times"]["accepted_at"].startswith("2026-11-22T00:0")
    assert after["original_cart"] == before["cart"] != after["cart"]
    assert after["amounts"]["amount_total"] is not None
    assert goody.cancel(order_id).status_code == 400


def test_any_field_can_be_changed(goody: Goody) -> None:
    order_id = goody.one("status=notified")
    values = {"recipient_email": "new@example.com", "thank_you_note": "Danke", "novel": [1]}
    after = goody.control(f"orders/{order_id}", values)
    assert {name: after[name] for name in values} == values
    assert after["event_times"]["thank_you_added_at"] is not None
    assert goody.control(f"orders/{order_id}", {"expires_at": None})["expires_at"] is None
    assert goody.control(f"orders/{order_id}", {"status": "frozen"})["status"] == "frozen"
    assert "ISO 8601" in rejection(goody, f"orders/{order_id}", {"expires_at": 5})


def test_a_change_back_to_created_has_no_event(goody: Goody) -> None:
    order_id = goody.one("status=opened")
    before = goody.order(order_id)["event_times"]
    entries = goody.get("/v1/order_activities?per_page=1").json()["list_meta"]
    goody.control("clock", {"advance_seconds": 3600})
    after = goody.control(f"orders/{order_id}", {"status": "created"})
    assert (after["status"], after["event_times"]) == ("created", before)
    assert goody.get("/v1/order_activities?per_page=1").json()["list_meta"] == entries


def test_new_orders_are_the_newest(goody: Goody) -> None:
    made = goody.control("orders", {"count": 3, "fields": {"recipient_first_name": "Ada"}})
    rows = goody.get("/v1/orders?per_page=4").json()
    assert rows["list_meta"]["total_count"] == 603
    assert [row["id"] for row in rows["data"][:3]] == [o["id"] for o in reversed(made["orders"])]
    assert [row["recipient_first_name"] for row in rows["data"][:3]] == ["Ada"] * 3
    assert {order["status"] for order in made["orders"]} == {"created"}
    assert goody.cancel(made["orders"][0]["id"]).json()["status"] == "failed"


def test_new_orders_need_a_clock_after_the_newest_order(goody: Goody) -> None:
    goody.control("clock", {"now": "2020-01-01T00:00:00Z"})
    assert "clock" in rejection(goody, "orders", {"count": 1})
    goody.control("clock", {"now": "2030-01-01T00:00:00Z"})
    (order,) = goody.control("orders", {"count": 1})["orders"]
    assert order["event_times"]["created_at"].startswith("2030-01-01T00:00:")


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_new_orders_have_a_limit(goody: Goody, count: int) -> None:
    assert "count" in rejection(goody, "orders", {"count": count})


def test_the_clock_starts_at_now_runs_and_can_be_set(goody: Goody) -> None:
    start = goody.ask("clock")["unix"]
    assert NOW <= start < NOW + 30
    assert goody.ask("clock")["unix"] > start
    moved = goody.control("clock", {"advance_seconds": 3600})["unix"]
    assert start + 3600 <= moved < start + 3630
    assert goody.control("clock", {"now": "2027-01-01T00:00:00Z"})["now"] == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("clock", {"advance_seconds": "nan"}, "advance_seconds must be a number"),
        ("clock", {"advance_seconds": float("nan")}, "advance_seconds must be a number"),
        ("clock", {"advance_seconds": 1e300}, "advance_seconds must be a number"),
        ("clock", {"advance_seconds": -2e9}, "between 1980 and 2100"),
        ("clock", {"now": "2200-01-01T00:00:00Z"}, "between 1980 and 2100"),
        ("clock", {"now": "2030-01-01T00:00:00Z", "advance_seconds": 4e9}, "1980 and 2100"),
        ("clock", {"now": 5}, "now must be a string"),
        ("latency", {"seconds": 1e300}, "seconds must be a number between 0 and 86,400"),
        ("latency", {"seconds": -1}, "seconds must be a number between 0 and 86,400"),
        ("churn", {"changes": float("inf")}, "changes must be an integer"),
        ("churn", {"seed": None}, "seed must be an integer"),
        ("churn", {"kinds": "cancel"}, "kinds must be a list of strings, or null"),
        ("orders", {"count": float("inf")}, "count must be an integer"),
        ("orders", {"fields": [1]}, "fields must be an object"),
        ("orders", {"fields": {"expires_at": "soon"}}, "date-time"),
    ],
)
def test_an_invalid_request_changes_nothing(
    goody: Goody, path: str, body: Any, message: str
) -> None:
    """The body is encoded by json, which writes NaN; requests would refuse it."""
    text = json.dumps(body)
    response = goody.session.post(f"{goody.url}/_emulator/{path}", data=text, timeout=5)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert goody.get("/v1/orders").json()["list_meta"]["total_count"] == 600
    assert goody.ask("clock")["unix"] < NOW + 30
    assert goody.ask("latency") == {"seconds": 0}
    assert goody.ask("ledger") == {"entries": []}
    assert len(goody.control("orders", {"count": 2})["orders"]) == 2


def test_orders_expire_by_the_clock(goody: Goody) -> None:
    order_id = goody.one("status=notified&unaccepted_expired=0&no_expiry=0")
    goody.control("switches", {"expired_cancel": "400"})
    goody.control("clock", {"advance_seconds": 400 * 86_400})
    assert goody.cancel(order_id).status_code == 400
    assert goody.order(order_id)["status"] == "notified"


def test_switches_are_set_all_or_none(goody: Goody) -> None:
    before = goody.ask("switches")
    assert "late_cancel must be one of" in rejection(
        goody, "switches", {"past_date": "400", "late_cancel": "7"}
    )
    assert "unknown switch" in rejection(goody, "switches", {"past_date": "400", "colour": "red"})
    assert goody.ask("switches") == before
    after = goody.control("switches", {"late_cancel": 409})["switches"]
    assert after == {**before["switches"], "late_cancel": "409"}


def test_calls_are_counted_by_route(goody: Goody) -> None:
    order_id = goody.one("status=notified")
    goody.get("/v1/orders?page=2")
    goody.order(order_id)
    goody.cancel(order_id)
    goody.cancel(order_id, key="wrong")
    goody.get("/v1/nowhere")
    report = goody.ask("calls")
    assert report["counts"] == {
        "GET /v1/orders": 1,
        "GET /v1/orders/{id}": 1,
        "POST /v1/orders/{id}/cancel": 2,
        "GET /v1/...": 1,
    }
    assert (report["total"], report["posts"], report["max_concurrent"]) == (5, 2, 1)
    assert report["recent"][0]["query"] == "page=2"
    assert report["recent"][1]["path"] == f"/v1/orders/{order_id}"
    assert goody.control("calls", method="DELETE")["total"] == 0


def test_the_ledger_has_the_order_before_and_after(goody: Goody) -> None:
    order_id = goody.one("status=notified&no_expiry=0")
    expires = goody.order(order_id)["expires_at"]
    goody.extend(order_id, "2027-03-01T00:00:00Z")
    goody.cancel(order_id)
    goody.cancel(order_id)
    lines = goody.ledger(order_id)
    for line in lines:
        assert line.pop("order_id") == order_id
        assert line.pop("at").startswith("2026-11-22T00:0")
    first = {"status": "notified", "expires_at": expires}
    extended = {"status": "notified", "expires_at": "2027-03-01T00:00:00Z"}
    ended = {**extended, "status": "failed"}
    expected = [
        ("update_expiration", first, extended, True, "200"),
        ("cancel", extended, ended, True, "200"),
        ("cancel", ended, ended, False, "400"),
    ]
    names = ("kind", "before", "after", "applied", "answered")
    assert lines == [dict(zip(names, line, strict=True)) for line in expected]
    assert goody.ask("ledger?kind=update_expiration")["entries"][0]["order_id"] == order_id
    assert goody.control("ledger", method="DELETE") == {"entries": []}


def test_latency_applies_to_the_api_only(goody: Goody) -> None:
    goody.control("latency", {"seconds": 0.3})
    assert goody.get("/v1/me").elapsed.total_seconds() >= 0.3
    goody.control("latency", {"seconds": 60})
    assert goody.ask("latency") == {"seconds": 60}
    assert goody.control("latency", {"seconds": 0}) == {"seconds": 0}
    assert goody.get("/v1/me").status_code == 200


def test_reset_restores_everything(goody: Goody) -> None:
    page = goody.get("/v1/orders?per_page=100").content
    feed = goody.get("/v1/order_activities?per_page=100").content
    for row in goody.found("status=notified,created&limit=5"):
        goody.cancel(row["id"])
    goody.control("orders", {"count": 2})
    goody.control(f"orders/{goody.one('status=opened')}", {"hidden": True})
    goody.control("switches", {"late_cancel": "409"})
    goody.control("clock", {"advance_seconds": 86_400})
    goody.fault("status", times=None)
    assert goody.control("reset")["orders"] == 600
    assert goody.get("/v1/orders?per_page=100").content == page
    assert goody.get("/v1/order_activities?per_page=100").content == feed
    assert goody.ask("switches")["switches"]["late_cancel"] == "400"
    assert goody.ask("clock")["unix"] < NOW + 30
    assert goody.ask("ledger") == {"entries": []}
    assert goody.ask("faults") == {"faults": []}


def test_control_needs_no_key_and_rejects_invalid_requests(goody: Goody) -> None:
    session, root = goody.session, f"{goody.url}/_emulator"
    assert session.get(f"{root}/clock", timeout=5).status_code == 200
    assert session.get(f"{root}/nothing", timeout=5).status_code == 404
    assert session.delete(f"{root}/clock", timeout=5).status_code == 405
    assert session.post(f"{root}/clock", data=b"{", timeout=5).status_code == 400
    assert session.post(f"{root}/clock", data=b"[]", timeout=5).status_code == 400
    assert session.post(f"{root}/clock", data=b"[" * 200_000, timeout=5).status_code == 400
    assert session.get(f"{root}/orders/{'0' * 8}", timeout=5).status_code == 404
