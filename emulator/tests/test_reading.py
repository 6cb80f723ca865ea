"""GET /v1/me, /v1/workspaces, /v1/orders, /v1/orders/{id}: shapes, pages, windows, refusals."""

import http.client
import json
import socket
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from emulator.tests.conftest import KEY, Goody

NOBODY = "0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e01"
REQUIRED = {
    "id", "status", "reference_id", "recipient_first_name", "individual_gift_link", "cart",
    "shipments", "amounts", "sender",
}  # fmt: skip


def ids(goody: Goody, query: str) -> list[str]:
    return [row["id"] for row in goody.get(f"/v1/orders?{query}").json()["data"]]


def total(goody: Goody, query: str) -> int:
    return goody.get(f"/v1/orders?per_page=1&{query}").json()["list_meta"]["total_count"]


def created(goody: Goody, order_id: str) -> datetime:
    return datetime.fromisoformat(goody.order(order_id)["event_times"]["created_at"])


def z(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_me_and_workspaces(shared: Goody) -> None:
    assert shared.get("/v1/me").json() == {
        "email": "support@sender.example.com",
        "public_app_id": None,
    }
    answer = shared.get("/v1/workspaces").json()
    assert answer["list_meta"] == {"total_count": len(answer["data"])}
    assert 3 <= len(answer["data"]) <= 6
    assert all(workspace.keys() == {"id", "name"} for workspace in answer["data"])


def test_me_of_a_commerce_key_has_an_app_and_no_address(goody: Goody) -> None:
    goody.control("switches", {"key_type": "commerce"})
    assert goody.get("/v1/me").json() == {"email": None, "public_app_id": "emulated-app"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me"),
        ("GET", "/v1/workspaces"),
        ("GET", "/v1/orders"),
        ("GET", f"/v1/orders/{NOBODY}"),
        ("POST", f"/v1/orders/{NOBODY}/cancel"),
        ("POST", f"/v1/orders/{NOBODY}/update_expiration"),
        ("GET", "/v1/nothing"),
    ],
)
@pytest.mark.parametrize("header", ["Bearer wrong", "test-key", "Basic test-key", "Bearer kéy", ""])
def test_every_route_is_401_without_the_key(
    shared: Goody, method: str, path: str, header: str
) -> None:
    response = shared.call(method, path, headers={"Authorization": header.encode()})
    assert (response.status_code, response.json()) == (401, {"error": "Unauthorized"})


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1//orders", "/v1/orders/", "/", "//v1//me"])
def test_an_unknown_route_is_404_in_the_envelope(shared: Goody, path: str) -> None:
    response = shared.get(path)
    assert (response.status_code, response.json()) == (404, {"error": "Not Found"})


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "PUT", "TRACE", "PROPFIND"])
def test_a_wrong_method_is_405_in_the_envelope(shared: Goody, method: str) -> None:
    connection = http.client.HTTPConnection(shared.url.removeprefix("http://"), timeout=5)
    connection.request(method, "/v1/orders", headers={"Authorization": f"Bearer {KEY}"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (405, b'{"error":"Method Not Allowed"}')
    assert response.headers.keys() == ["Content-Type", "Content-Length"]
    connection.close()


def test_head_is_get_without_its_body(shared: Goody) -> None:
    for path in ("/v1/orders", "/v1/nothing"):
        full, head = shared.get(path), shared.call("HEAD", path)
        assert (head.status_code, head.headers) == (full.status_code, full.headers)
        assert head.content == b""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("GET /v1/me and more HTTP/1.1", 400),
        ("GET /v1/me HTTP/x", 400),
        ("GET /v1/me HTTP/3.0", 505),
        (f"GET /v1/orders?x={'a' * 70_000} HTTP/1.1", 414),
        (f"GET /v1/me HTTP/1.1\r\nX-Long: {'a' * 70_000}", 431),
    ],
    ids=["words", "version", "HTTP/3", "long line", "long header"],
)
def test_invalid_http_is_an_error_in_the_envelope_and_ends_the_connection(
    shared: Goody, sent: str, status: int
) -> None:
    host, port = shared.server.server_address[:2]
    with socket.create_connection((str(host), int(port)), timeout=5) as connection:
        connection.sendall(f"{sent}\r\n\r\n".encode())
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first.split()[1] == str(status)
    assert [line.partition(":")[0] for line in headers] == ["Content-Type", "Content-Length"]
    assert json.loads(body).keys() == {"error"}


def test_the_first_page_has_the_20_newest_orders(shared: Goody) -> None:
    answer = shared.get("/v1/orders").json()
    assert answer["list_meta"] == {"total_count": 5_000}
    assert len(answer["data"]) == 20
    moments = [created(shared, row["id"]) for row in answer["data"]]
    assert moments == sorted(moments, reverse=True)


def test_rows_have_the_required_keys_and_no_event_times(shared: Goody) -> None:
    for page in range(1, 51):
        for row in shared.get(f"/v1/orders?per_page=100&page={page}").json()["data"]:
            assert row.keys() >= REQUIRED
            assert "event_times" not in row


def test_detail_is_the_row_with_event_times(shared: Goody) -> None:
    row = shared.get("/v1/orders?per_page=1&page=900").json()["data"][0]
    order = shared.order(row["id"])
    order.pop("event_times")
    assert order == row


def test_a_note_comes_after_acceptance(shared: Goody) -> None:
    noted = shared.order(shared.one("has_thank_you=1"))
    assert noted["thank_you_note"]
    assert noted["event_times"]["thank_you_added_at"] > noted["event_times"]["accepted_at"]


def test_all_pages_together_have_each_order_once(shared: Goody) -> None:
    found = [
        order_id for page in range(1, 52) for order_id in ids(shared, f"per_page=99&page={page}")
    ]
    assert len(found) == 5_000
    assert len(set(found)) == 5_000


def test_last_page_is_short_and_the_next_is_empty(shared: Goody) -> None:
    assert len(ids(shared, "per_page=99&page=51")) == 50
    assert ids(shared, "per_page=99&page=52") == []
    assert ids(shared, "per_page=99&page=999999999999") == []


def test_window_is_inclusive_at_both_ends(shared: Goody) -> None:
    order_id = ids(shared, "per_page=1&page=2500")[0]
    moment, second = created(shared, order_id), timedelta(seconds=1)
    on, earlier, later = z(moment), z(moment - second), z(moment + second)
    both = f"created_at%5Bafter%5D={on}&created_at%5Bbefore%5D={on}&per_page=100"
    assert order_id in ids(shared, both)
    assert all(created(shared, found) == moment for found in ids(shared, both))
    assert order_id not in ids(shared, both.replace(f"after%5D={on}", f"after%5D={later}"))
    assert order_id not in ids(shared, both.replace(f"before%5D={on}", f"before%5D={earlier}"))


def test_windows_before_and_after_add_up(shared: Goody) -> None:
    moment = created(shared, ids(shared, "per_page=1&page=1200")[0])
    until = total(shared, f"created_at%5Bbefore%5D={z(moment)}")
    since = total(shared, f"created_at%5Bafter%5D={z(moment + timedelta(seconds=1))}")
    assert until + since == 5_000
    assert 0 < since <= 1200


def test_empty_and_reversed_windows_are_empty(shared: Goody) -> None:
    assert total(shared, "created_at%5Bbefore%5D=2001-01-01T00:00:00Z") == 0
    reversed_window = (
        "created_at[after]=2026-06-01T00:00:00Z&created_at[before]=2026-01-01T00:00:00Z"
    )
    assert total(shared, reversed_window) == 0


@pytest.mark.parametrize(
    "same",
    [
        "2026-06-01T12:00:00Z",
        "2026-06-01T12:00:00%2B0000",
        "2026-06-01T12:00:00%2B00:00",
        "2026-06-01T14:00:00%2B02:00",
        "2026-06-01T12:00:00.000Z",
        "2026-06-01T12:00:00",
    ],
)
def test_filter_formats(shared: Goody, same: str) -> None:
    expected = total(shared, "created_at%5Bafter%5D=2026-06-01T12:00:00Z")
    assert 0 < expected < 5_000
    assert total(shared, f"created_at%5Bafter%5D={same}") == expected


def test_a_blank_filter_is_no_filter(shared: Goody) -> None:
    assert total(shared, "created_at%5Bafter%5D=") == 5_000


@pytest.mark.parametrize("text", ["yesterday", "2026-06-01", "2026-06-01T12:00:00+00:00", "0"])
def test_unreadable_filter(goody: Goody, text: str) -> None:
    """A raw plus sign is one of them: it is decoded as a space."""
    query = f"created_at%5Bafter%5D={text}"
    assert goody.get(f"/v1/orders?{query}").status_code == 400
    goody.control("switches", {"bad_filter": "ignore"})
    assert total(goody, query) == 600


def test_page_zero(goody: Goody) -> None:
    for page in ("0", "-1"):
        response = goody.get(f"/v1/orders?page={page}")
        assert response.status_code == 400
        assert response.json() == {"error": "Page must be greater than 0"}
    goody.control("switches", {"page_zero": "first"})
    assert ids(goody, "page=0") == ids(goody, "page=1")


def test_per_page_over_100(goody: Goody) -> None:
    assert len(ids(goody, "per_page=101")) == 100
    assert ids(goody, "per_page=500&page=2") == ids(goody, "per_page=100&page=2")
    goody.control("switches", {"per_page_over_100": "400"})
    assert goody.get("/v1/orders?per_page=101").status_code == 400
    assert len(ids(goody, "per_page=100")) == 100


def test_per_page_zero(goody: Goody) -> None:
    assert goody.get("/v1/orders?per_page=0").status_code == 400
    goody.control("switches", {"per_page_zero": "default"})
    assert len(ids(goody, "per_page=0")) == 20


@pytest.mark.parametrize("text", ["two", "1_0", "1.0", "٣", "%201", "9" * 5_000])
def test_page_that_is_not_a_number(goody: Goody, text: str) -> None:
    response = goody.get(f"/v1/orders?page={text}")
    assert (response.status_code, response.json()) == (400, {"error": "page must be an integer"})
    goody.control("switches", {"page_not_a_number": "first"})
    assert ids(goody, f"page={text}") == ids(goody, "page=1")


@pytest.mark.parametrize("status", [400, 404])
def test_past_the_end(goody: Goody, status: int) -> None:
    assert ids(goody, "page=31") == []
    goody.control("switches", {"past_end": str(status)})
    assert goody.get("/v1/orders?page=31").status_code == status
    assert len(ids(goody, "page=30")) == 20
    assert goody.get("/v1/orders?created_at[before]=2001-01-01T00:00Z").status_code == 200


def test_unknown_order(goody: Goody) -> None:
    for order_id in (uuid4(), NOBODY, "00000000-0000-4000-8000-000000000000"):
        response = goody.get(f"/v1/orders/{order_id}")
        assert (response.status_code, response.json()) == (404, {"error": "Order not found"})


@pytest.mark.parametrize("order_id", ["17", "x" * 36, "{}", "0b6f1c1e52f44a0e9d5b6c1c5a9a7e01"])
def test_malformed_id(goody: Goody, order_id: str) -> None:
    assert goody.get(f"/v1/orders/{order_id}").status_code == 404
    goody.control("switches", {"malformed_id": "400"})
    assert goody.get(f"/v1/orders/{order_id}").status_code == 400
    assert goody.get(f"/v1/orders/{uuid4()}").status_code == 404


def test_stored_times_may_have_fractions(goody: Goody) -> None:
    order_id = ids(goody, "per_page=1")[0]
    on = z(created(goody, order_id))
    assert order_id in ids(goody, f"created_at%5Bbefore%5D={on}")
    goody.control("switches", {"created_fraction": "0.4"})
    assert order_id not in ids(goody, f"created_at%5Bbefore%5D={on}")
    assert order_id in ids(goody, f"created_at%5Bbefore%5D={on[:-1]}.5Z")
    assert order_id in ids(goody, f"created_at%5Bafter%5D={on}")
