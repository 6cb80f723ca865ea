"""Behaviors of `FaultyServer`: each answers one request on one connection.

A behavior is a function of the connection, which is called after the request was read. Most
functions here return a behavior. faulty_server.py has the sockets and the sequence of behaviors.
"""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

JSON = "application/json"


class Connection:
    """The connection of one client, which a behavior writes to."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sock = sock
        self.stop = stop
        self.is_open = True

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def close(self) -> None:
        self.is_open = False
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """End the connection by RST instead of FIN."""
        self.is_open = False
        with suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def pause(self, seconds: float) -> bool:
        """Wait; return False when the server is stopping."""
        return not self.stop.wait(seconds)


type Behavior = Callable[[Connection], None]


def head(status: int = 200, headers: Mapping[str, str] | None = None, reason: str = "X") -> bytes:
    """Return a status line and headers, with the empty line."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def answer(
    status: int = 200,
    body: Any = b"",
    *,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
    keep_alive: bool = True,
) -> Behavior:
    """A complete answer. A body that is not bytes is sent as JSON."""
    payload = _encoded(body)

    def behave(connection: Connection) -> None:
        fields = {"Content-Type": content_type, "Content-Length": str(len(payload))}
        connection.send(head(status, fields | dict(headers or {})) + payload)
        if not keep_alive:
            connection.close()

    return behave


def after(seconds: float, behavior: Behavior) -> Behavior:
    """Run the behavior after a delay."""

    def behave(connection: Connection) -> None:
        if connection.pause(seconds):
            behavior(connection)

    return behave


def blocked_until(until: threading.Event, behavior: Behavior) -> Behavior:
    """Wait until the test sets the event, then run the behavior."""

    def behave(connection: Connection) -> None:
        while not until.wait(0.02):
            if connection.stop.is_set():
                return
        behavior(connection)

    return behave


def redirect(status: int, location: str) -> Behavior:
    return answer(status, b"", headers={"Location": location})


def html(status: int = 200) -> Behavior:
    """An HTML page, as a proxy or a login portal sends it."""
    return answer(status, b"<html><h1>Welcome</h1></html>", content_type="text/html")


def raw(data: bytes) -> Behavior:
    """Send exactly these bytes and close the connection."""

    def behave(connection: Connection) -> None:
        connection.send(data)
        connection.close()

    return behave


def reset(connection: Connection) -> None:
    """Reset the connection before the first byte of an answer."""
    connection.reset()


def close_without_answer(connection: Connection) -> None:
    """Close the connection before the first byte of an answer."""
    connection.close()


def no_answer(connection: Connection) -> None:
    """Send nothing and keep the connection open."""
    while connection.pause(1):
        continue


def _drip(connection: Connection, data: bytes, interval: float) -> None:
    for position in range(len(data)):
        connection.send(data[position : position + 1])
        if not connection.pause(interval):
            return


def drip_headers(interval: float = 0.02) -> Behavior:
    """Endless headers, one byte at a time."""

    def behave(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\n")
        while connection.is_open and not connection.stop.is_set():
            _drip(connection, b"X-Slow: 1\r\n", interval)

    return behave


def drip_body(body: Any, interval: float = 0.02, *, status: int = 200) -> Behavior:
    """A complete answer whose body is sent one byte at a time."""
    payload = _encoded(body)

    def behave(connection: Connection) -> None:
        fields = {"Content-Type": JSON, "Content-Length": str(len(payload))}
        connection.send(head(status, fields))
        _drip(connection, payload, interval)

    return behave


def short_body(body: Any, *, missing: int = 10, by_reset: bool = False) -> Behavior:
    """Close or reset the connection `missing` bytes before the announced length."""
    payload = _encoded(body)

    def behave(connection: Connection) -> None:
        fields = {"Content-Type": JSON, "Content-Length": str(len(payload))}
        connection.send(head(200, fields) + payload[: len(payload) - missing])
        if by_reset and connection.pause(0.05):
            connection.reset()
        connection.close()

    return behave


def until_close(body: bytes, *, content_type: str = JSON) -> Behavior:
    """A body without a length; closing the connection ends it."""
    return raw(head(200, {"Content-Type": content_type, "Connection": "close"}) + body)


def interim(status: int, then: Behavior) -> Behavior:
    """An interim 1xx answer before the final one."""

    def behave(connection: Connection) -> None:
        connection.send(head(status))
        then(connection)

    return behave


def endless_interims(connection: Connection) -> None:
    """Endless 100 Continue answers."""
    while not connection.stop.is_set():
        connection.send(head(100) * 100)


def huge_body(size: int, *, announce: bool = True, status: int = 200) -> Behavior:
    """A JSON string of `size` bytes, with or without a Content-Length."""

    def behave(connection: Connection) -> None:
        fields = {"Content-Type": JSON, "Connection": "close"}
        if announce:
            fields["Content-Length"] = str(size)
        connection.send(head(status, fields) + b'"')
        _pour(connection, b"x" * 65536, size)

    return behave


def _pour(connection: Connection, piece: bytes, size: int) -> None:
    for _ in range(0, size, len(piece)):
        if connection.stop.is_set():
            return
        connection.send(piece)
    connection.close()


def gzip_bomb(size: int, *, status: int = 200, location: str = "") -> Behavior:
    """`size` bytes of spaces, gzipped about 1,000 : 1; a redirect if `location` is given."""
    packed = gzip.compress(b"[" + b" " * size + b"]")
    headers = {"Content-Encoding": "gzip"} | ({"Location": location} if location else {})
    return answer(status, packed, headers=headers, keep_alive=False)


def endless_chunks(piece: bytes = b"x" * 1000) -> Behavior:
    """Chunked answer without a last chunk."""

    def behave(connection: Connection) -> None:
        connection.send(head(200, {"Content-Type": JSON, "Transfer-Encoding": "chunked"}))
        chunk = f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        batch = chunk * max(1, 65536 // len(chunk))
        while not connection.stop.is_set():
            connection.send(batch)

    return behave


def chunked(*pieces: bytes, headers: Mapping[str, str] | None = None) -> Behavior:
    """A complete chunked answer."""

    def behave(connection: Connection) -> None:
        fields = {"Content-Type": JSON, "Transfer-Encoding": "chunked", **(headers or {})}
        connection.send(head(200, fields))
        for piece in (*pieces, b""):
            connection.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    return behave


def many_headers(count: int, *, length: int = 10) -> Behavior:
    """An answer with `count` headers of `length` characters."""
    fields = {f"X-Header-{number}": "v" * length for number in range(count)}
    return answer(200, {}, headers=fields)
