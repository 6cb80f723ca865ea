"""The request and the result of each method without failures."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from goody.client import Client
from goody.tests.samples import (
    ACTIVITY_ID,
    KEY,
    ONCE,
    ORDER_ID,
    ORDER_PATH,
    activity,
    make_client,
    order,
    page_of,
)
from goody.types import Me, Order, Workspace, parse_order_row
from testing.faulty_server import FaultyServer, answer, chunked


def test_get_order_reads_one_order():
    with FaultyServer(answer(200, order())) as server:
        found = make_client(server.url).get_order(ORDER_ID)
    assert (found.id, found.status, found.problems) == (ORDER_ID, "notified", ())
    assert json.loads(found.raw) == order()
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("GET", ORDER_PATH, b"")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"] == "goody-admin/1"
    assert request.headers["accept-encoding"] == "gzip"


def test_list_orders_sends_page_and_window():
    rows = [order(), order(id="0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e09")]
    with FaultyServer(answer(200, page_of(*rows))) as server:
        page = make_client(server.url).list_orders(
            page=3,
            per_page=25,
            created_after=datetime(2031, 4, 1, 2, 0, 0, 999, tzinfo=timezone(timedelta(hours=2))),
            created_before=datetime(2031, 4, 2, tzinfo=UTC),
        )
    assert [str(row.id) for row in page.orders] == [row["id"] for row in rows]
    assert (page.total_count, page.page, page.per_page, page.quarantined) == (2, 3, 25, ())
    assert server.requests[0].path == (
        "/v1/orders?page=3&per_page=25"
        "&created_at%5Bafter%5D=2031-04-01T00%3A00%3A00Z"
        "&created_at%5Bbefore%5D=2031-04-02T00%3A00%3A00Z"
    )


def test_list_raw_orders_returns_unparsed_rows():
    rows = [json.dumps(order()).encode(), b'{"id": NaN}']
    body = b'{"data":[%b,%b],"list_meta":{"total_count":7}}' % tuple(rows)
    window = {
        "page": 2,
        "created_after": datetime(2031, 4, 1, tzinfo=UTC),
        "created_before": datetime(2031, 4, 2, tzinfo=UTC),
    }
    with FaultyServer(answer(200, body)) as server:
        client = make_client(server.url)
        raw = client.list_raw_orders(**window)
        read = client.list_orders(per_page=100, **window)
    assert (raw.rows, raw.total_count) == (tuple(rows), 7)
    assert [parse_order_row(row) for row in raw.rows] == [*read.orders, *read.quarantined]
    assert isinstance(parse_order_row(raw.rows[0]), Order)
    assert server.requests[0].path == server.requests[1].path


def test_list_activities_sends_page_window_and_statuses():
    with FaultyServer(answer(200, page_of(activity()))) as server:
        client = make_client(server.url)
        page = client.list_activities(
            page=3,
            per_page=25,
            after=datetime(2031, 4, 1, 2, 0, 0, 999, tzinfo=timezone(timedelta(hours=2))),
            before=datetime(2031, 4, 2, tzinfo=UTC),
            statuses=("created", "pending_user_approval"),
        )
        client.list_activities()
    (found,) = page.activities
    assert (found.id, found.order_status) == (ACTIVITY_ID, "created")
    assert found.created_at == datetime(2031, 4, 1, 15, 2, 11, tzinfo=UTC)
    assert json.loads(found.order) == activity()["order"]
    assert (page.total_count, page.quarantined) == (1, ())
    assert [request.path for request in server.requests] == [
        "/v1/order_activities?page=3&per_page=25"
        "&after=2031-04-01T00%3A00%3A00Z&before=2031-04-02T00%3A00%3A00Z"
        "&statuses=created%2Cpending_user_approval",
        "/v1/order_activities?page=1&per_page=100",
    ]


def test_cancel_order_posts_without_a_body():
    with FaultyServer(answer(200, order(status="failed"))) as server:
        assert make_client(server.url).cancel_order(ORDER_ID).status == "failed"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"{ORDER_PATH}/cancel")
    assert (request.body, request.headers["content-length"]) == (b"", "0")


def test_update_expiration_sends_whole_seconds_of_utc():
    moment = datetime(2031, 6, 1, 1, 30, 15, 500, tzinfo=timezone(timedelta(hours=3)))
    with FaultyServer(answer(200, order(expires_at="2031-05-31T22:30:15Z"))) as server:
        updated = make_client(server.url).update_expiration(ORDER_ID, expiration=moment)
    assert updated.expires_at == datetime(2031, 5, 31, 22, 30, 15, tzinfo=UTC)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"{ORDER_PATH}/update_expiration")
    assert json.loads(request.body) == {"expiration": "2031-05-31T22:30:15Z"}
    assert request.headers["content-type"] == "application/json"


def test_me_and_workspaces():
    workspace = {"id": str(ORDER_ID), "name": "People"}
    with FaultyServer(
        answer(200, {"email": "lee@example.test", "public_app_id": None}),
        answer(200, page_of(workspace, {"id": "no id"}, 7)),
    ) as server:
        client = make_client(server.url)
        assert client.get_me() == Me(email="lee@example.test", public_app_id=None)
        assert client.list_workspaces() == (Workspace(id=ORDER_ID, name="People"),)
    assert [request.path for request in server.requests] == ["/v1/me", "/v1/workspaces"]


def test_a_chunked_response_is_read_completely():
    text = json.dumps(order()).encode()
    with FaultyServer(chunked(text[:100], text[100:])) as server:
        assert make_client(server.url).get_order(ORDER_ID).raw == text


def test_reads_share_a_connection_and_writes_do_not():
    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url)
        for _ in range(3):
            client.get_order(ORDER_ID)
        assert server.connections == 1
        client.cancel_order(ORDER_ID)
        client.cancel_order(ORDER_ID)
        assert server.connections == 3
        client.get_order(ORDER_ID)
        assert server.connections == 3
    assert [r.headers["connection"] for r in server.requests if r.method == "POST"] == ["close"] * 2


def test_the_environment_is_ignored(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with FaultyServer(answer(200, order(), headers={"Set-Cookie": "a=b"})) as server:
        client = make_client(server.url)
        client.get_order(ORDER_ID, policy=ONCE)
        client.get_order(ORDER_ID, policy=ONCE)
    assert [r.headers["authorization"] for r in server.requests] == [f"Bearer {KEY}"] * 2
    assert [r.headers.get("cookie") for r in server.requests] == [None] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.test",
        "http://localhost.example.test",
        "ftp://localhost",
        "//localhost",
        "https://",
        "https://user:word@api.example.test",
        "https://api.example.test?x=1",
        "https://api..example.test",
        f"https://{'a' * 64}.example.test",
        "",
    ],
)
def test_a_url_that_exposes_the_key_or_has_no_host_is_rejected(url):
    with pytest.raises(ValueError, match="URL"):
        Client(base_url=url, api_key=KEY)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.test",
        "http://127.0.0.1:8001/",
        "http://localhost:8001",
        "http://[::1]:8001",
    ],
)
def test_a_safe_url_is_accepted(url):
    assert repr(Client(base_url=url, api_key=KEY)) == f"Client({url.rstrip('/')!r})"


@pytest.mark.parametrize("key", ["", "two words", "line\r\nX-Evil: 1", "clé"])
def test_an_invalid_key_is_rejected_and_not_shown(key):
    with pytest.raises(ValueError, match="API key") as caught:
        Client(base_url="https://api.example.test", api_key=key)
    assert not key or key not in str(caught.value)


def test_invalid_arguments_raise_and_send_nothing():
    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url)
        with pytest.raises(ValueError, match="aware"):
            client.update_expiration(ORDER_ID, expiration=datetime(2031, 1, 1))  # noqa: DTZ001
        with pytest.raises(ValueError, match="aware"):
            client.list_orders(created_after=datetime(2031, 1, 1))  # noqa: DTZ001
        for ask in (client.list_raw_orders, client.list_activities):
            with pytest.raises(ValueError, match="per_page"):
                ask(page=0)
        for numbers in ({"page": 0}, {"per_page": 0}, {"per_page": 101}):
            with pytest.raises(ValueError, match="per_page"):
                client.list_orders(**numbers)
        for statuses in ("created", ["created,opened"], [""]):
            with pytest.raises(ValueError, match="statuses"):
                client.list_activities(statuses=statuses)
        with pytest.raises(ValueError, match="aware"):
            client.list_activities(after=datetime(2031, 1, 1))  # noqa: DTZ001
        with pytest.raises(TypeError):
            client.get_order("../me")
        with pytest.raises(TypeError):
            client.cancel_order(str(ORDER_ID))
    assert server.connections == 0


def test_ids_are_sent_in_their_canonical_form():
    with FaultyServer(answer(200, order())) as server:
        make_client(server.url).get_order(UUID(str(ORDER_ID).upper()))
    assert server.requests[0].path == ORDER_PATH
