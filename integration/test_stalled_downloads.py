"""A download ends if its client stops reading, and not if the client is only slow."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.utils import timezone

from orders import index
from orders.models import AuditEntry
from testing.domain import order
from testing.list_pages import complete_sync
from testing.processes import LiveApp, Visitor, wait_for

LIMIT = 4.0
ORDERS = 1_100
# More than the socket buffers hold.
NAME = "Tea " * 4_000


def fill() -> None:
    cart = {"items": [{"quantity": 1, "product": {"id": str(uuid4()), "name": NAME}}]}
    given = [order(id=str(uuid4()), reference_id="", cart=cart) for _ in range(ORDERS)]
    index.upsert_orders(given, read_at=timezone.now())
    complete_sync(timezone.now())


def download(visitor: Visitor, query: str) -> socket.socket:
    """Return a connection that receives the file, after its beginning was read."""
    where = urlsplit(visitor.base)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect((where.hostname, where.port))
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    head = f"GET /orders/export.csv{query} HTTP/1.0\r\nHost: {where.netloc}\r\nCookie: {cookies}"
    connection.sendall(f"{head}\r\n\r\n".encode())
    assert connection.recv(100).startswith(b"HTTP/1.0 200 OK")
    return connection


def rest(connection: socket.socket) -> bytes:
    return b"".join(iter(partial(connection.recv, 1 << 20), b""))


def ends() -> list[tuple[str, str, str]]:
    """Return the path and the outcome of each ended download."""
    rows = AuditEntry.objects.filter(action="order.export").exclude(intent=None)
    return [(row.intent.detail, row.outcome, row.detail) for row in rows.order_by("id")]


def test_only_a_client_that_stopped_reading_is_disconnected(
    live_app: Callable[..., LiveApp],
) -> None:
    fill()
    app = live_app(STALL_TIMEOUT=str(LIMIT))
    lead = app.log_in("lead")
    with download(lead, "?status=notified") as stalled, download(lead, "") as slow:
        began, taken = time.monotonic(), b""

        def is_over() -> bool:
            nonlocal taken
            taken += slow.recv(4096)
            return bool(ends()) and time.monotonic() - began > 2 * LIMIT

        wait_for(is_over, timeout=60, what="the end of the one that takes nothing")
        why = "1,000 orders; the download was aborted"
        assert ends() == [("Status: notified", "incomplete", why)]
        assert len(taken) < 5_000_000
        taken += rest(slow)
        with pytest.raises(ConnectionError):
            rest(stalled)
    assert taken.count(b"\r\n") > ORDERS
    assert taken.endswith(b"\r\n")
    wait_for(lambda: len(ends()) == 2, what="the end of the slow one")
    assert ends()[1] == ("All orders", "complete", f"{ORDERS:,} orders")
    output = app.webs[0].output()
    assert output.count("A client took nothing for 4 s; cut off.") == 1
    assert "Traceback" not in output
