"""POST /v1/orders/{id}/update_expiration: formats, refusals and switches."""

from typing import Any
from uuid import uuid4

import pytest

from emulator.tests.conftest import Goody

FUTURE = "2027-03-01T07:59:59Z"
NOT_JSON = {"form": b"expiration=2027", "deep": b"[" * 200_000, "no UTF-8": b'"\xff"'}


@pytest.mark.parametrize("status", ["created", "notified", "opened"])
def test_sets_expires_at_and_nothing_else(goody: Goody, status: str) -> None:
    order_id = goody.one(f"status={status}")
    before = goody.order(order_id)
    before.pop("event_times")
    response = goody.extend(order_id, FUTURE)
    assert response.status_code == 200
    assert response.json() == {**before, "expires_at": FUTURE}
    assert goody.order(order_id)["expires_at"] == FUTURE


@pytest.mark.parametrize(
    "text",
    [
        "2027-03-01T07:59:59Z",
        "2027-03-01T07:59:59+0000",
        "2027-03-01T07:59:59+00:00",
        "2027-03-01T07:59:59.999Z",
        "2027-03-01T08:59:59+0100",
        "2027-02-28T23:59:59-08:00",
    ],
)
def test_the_answer_is_in_whole_seconds_utc(goody: Goody, text: str) -> None:
    assert goody.extend(goody.one("status=notified"), text).json()["expires_at"] == FUTURE


def test_other_orders_of_the_batch_keep_their_expiration(goody: Goody) -> None:
    first, second = goody.control("orders", {"count": 2})["orders"]
    assert first["order_batch_id"] == second["order_batch_id"]
    goody.extend(first["id"], FUTURE)
    assert goody.order(second["id"])["expires_at"] == second["expires_at"] != FUTURE


@pytest.mark.parametrize("value", ["400", "200", "404", "409", "422"])
@pytest.mark.parametrize("status", ["accepted", "delivered", "failed"])
def test_late_expiration(goody: Goody, value: str, status: str) -> None:
    goody.control("switches", {"late_expiration": value})
    order_id = goody.one(f"status={status}")
    before = goody.order(order_id)["expires_at"]
    assert goody.extend(order_id, FUTURE).status_code == int(value)
    assert goody.order(order_id)["expires_at"] == before


def test_an_expired_order_may_be_extended(goody: Goody) -> None:
    order_id = goody.one("unaccepted_expired=1")
    assert goody.extend(order_id, FUTURE).json()["expires_at"] == FUTURE
    goody.control("switches", {"expired_expiration": "422"})
    assert goody.extend(goody.one("unaccepted_expired=1"), FUTURE).status_code == 422


@pytest.mark.parametrize(
    ("switch", "text"),
    [("past_date", "2022-01-01T00:00:00Z"), ("far_date", "2099-01-01T00:00:00Z")],
)
def test_past_and_far_dates(goody: Goody, switch: str, text: str) -> None:
    order_id = goody.one("status=opened&unaccepted_expired=0")
    before = goody.order(order_id)["expires_at"]
    for value in ("400", "422"):
        goody.control("switches", {switch: value})
        assert goody.extend(order_id, text).status_code == int(value)
        assert goody.order(order_id)["expires_at"] == before
    goody.control("switches", {switch: "accept"})
    assert goody.extend(order_id, text).json()["expires_at"] == text


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_unix_time_zero_is_not_null(goody: Goody, text: str) -> None:
    order_id = goody.one("status=opened&unaccepted_expired=0&no_expiry=0")
    assert goody.extend(order_id, text).json()["expires_at"] == text
    assert goody.order(order_id)["expires_at"] == text
    assert goody.ledger(order_id)[0]["after"]["expires_at"] == text
    assert order_id not in {row["id"] for row in goody.found("no_expiry=1&limit=600")}
    assert order_id in {row["id"] for row in goody.found("unaccepted_expired=1&limit=600")}
    other = goody.one("status=notified&no_expiry=0")
    assert goody.control(f"orders/{other}", {"expires_at": text})["expires_at"] == text


def test_null_expiration(goody: Goody) -> None:
    order_id = goody.one("status=notified&no_expiry=0")
    before = goody.order(order_id)["expires_at"]
    assert goody.extend(order_id, None).status_code == 400
    goody.control("switches", {"null_expiration": "ignore"})
    assert goody.extend(order_id, None).json()["expires_at"] == before
    goody.control("switches", {"null_expiration": "clear"})
    assert goody.extend(order_id, None).json()["expires_at"] is None
    assert goody.order(order_id)["expires_at"] is None


@pytest.mark.parametrize("body", [{}, {"expires_at": FUTURE}, None, ["expiration"]])
def test_missing_expiration(goody: Goody, body: Any) -> None:
    """`expires_at` is the name in the answer; one public integration sends it by mistake."""
    order_id = goody.one("status=notified")
    before = goody.order(order_id)["expires_at"]
    path = f"/v1/orders/{order_id}/update_expiration"
    assert goody.post(path, json=body).status_code == 400
    goody.control("switches", {"missing_expiration": "ignore"})
    assert goody.post(path, json=body).json()["expires_at"] == before


@pytest.mark.parametrize("value", ["soon", "2027-03-01", 1803890399, "", True])
def test_unreadable_expiration(goody: Goody, value: Any) -> None:
    order_id = goody.one("status=notified")
    before = goody.order(order_id)["expires_at"]
    assert goody.extend(order_id, value).status_code == 400
    goody.control("switches", {"unreadable_expiration": "ignore"})
    assert goody.extend(order_id, value).json()["expires_at"] == before


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_dates_outside_the_years_1_to_9999_are_unreadable(goody: Goody, text: str) -> None:
    assert goody.extend(goody.one("status=notified"), text).status_code == 400


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_not_json(goody: Goody, body: bytes) -> None:
    path = f"/v1/orders/{goody.one('status=notified')}/update_expiration"
    response = goody.post(path, data=body)
    assert (response.status_code, response.json()) == (400, {"error": "Body is not JSON"})


def test_unknown_order(goody: Goody) -> None:
    response = goody.extend(str(uuid4()), FUTURE)
    assert (response.status_code, response.json()) == (404, {"error": "Order not found"})
