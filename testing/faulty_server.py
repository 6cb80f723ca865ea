"""A server on real sockets that misbehaves as a test defines.

`FaultyServer` answers each request with the next behavior of its script (the last one repeats) and
records the requests. behaviors.py defines the behaviors and certificates.py the certificates; this
module exports both. `refusing_url` and `blackhole_url` are addresses without a server. The server
does not depend on Goody's API.
"""

import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from testing.behaviors import (
    JSON,
    Behavior,
    Connection,
    after,
    answer,
    blocked_until,
    chunked,
    close_without_answer,
    drip_body,
    drip_headers,
    endless_chunks,
    endless_interims,
    gzip_bomb,
    head,
    html,
    huge_body,
    interim,
    many_headers,
    no_answer,
    raw,
    redirect,
    reset,
    short_body,
    until_close,
)
from testing.certificates import Certificates, make_certificates

__all__ = [
    "JSON",
    "Behavior",
    "Certificates",
    "Connection",
    "FaultyServer",
    "Recorded",
    "after",
    "answer",
    "blackhole_url",
    "blocked_until",
    "chunked",
    "close_without_answer",
    "drip_body",
    "drip_headers",
    "endless_chunks",
    "endless_interims",
    "gzip_bomb",
    "head",
    "html",
    "huge_body",
    "interim",
    "make_certificates",
    "many_headers",
    "no_answer",
    "raw",
    "redirect",
    "refusing_url",
    "reset",
    "short_body",
    "until_close",
]

_CLIENT_TIMEOUT = 10.0  # seconds to wait for a client


@dataclass(frozen=True)
class Recorded:
    """A received request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class FaultyServer:
    """A context manager that listens on a free loopback port.

    `script` lists the behaviors for requests, `post` those for POSTs if given. `tls` is a server
    context; `failed_handshakes` counts failed handshakes.
    """

    def __init__(
        self,
        *script: Behavior,
        post: tuple[Behavior, ...] | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._scripts = {"GET": list(script), "POST": list(script)}
        if post is None:
            self._scripts["POST"] = self._scripts["GET"]
        else:
            self._scripts["POST"] = list(post)
        self._tls = tls
        self._host = host
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self.requests: list[Recorded] = []
        self.connections = 0
        self.failed_handshakes = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._changed:
            sockets = list(self._sockets)
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_CLIENT_TIMEOUT)
            assert not thread.is_alive(), "a thread of the faulty server did not end"

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    @property
    def posts(self) -> int:
        """The number of POSTs received."""
        return sum(request.method == "POST" for request in self.requests)

    def set_script(self, *script: Behavior) -> None:
        """Replace the rest of the script of GETs (and of POSTs, if they share it)."""
        with self._changed:
            self._scripts["GET"][:] = script

    def wait_until(self, condition: Callable[[Self], bool]) -> None:
        """Wait until `condition` holds; fail after 10 s."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), _CLIENT_TIMEOUT)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
                self._sockets.add(sock)
                self._changed.notify_all()
            if self._stop.is_set():
                sock.close()
                return
            self._start(self._serve, sock)

    def _serve(self, plain: socket.socket) -> None:
        sock = self._secured(plain)
        if sock is None:
            return
        connection = Connection(sock, self._stop)
        try:
            with sock.makefile("rb") as stream:
                while connection.is_open and (request := _read_request(stream)):
                    self._next_behavior(request)(connection)
        except (OSError, ValueError):
            pass  # the client has gone, or the server is stopping
        finally:
            sock.close()
            self._forget(sock)

    def _forget(self, sock: socket.socket) -> None:
        with self._changed:
            self._sockets.discard(sock)

    def _secured(self, plain: socket.socket) -> socket.socket | None:
        if self._tls is None:
            return plain
        plain.settimeout(_CLIENT_TIMEOUT)
        try:
            sock = self._tls.wrap_socket(plain, server_side=True)
        except OSError:
            with self._changed:
                self.failed_handshakes += 1
                self._changed.notify_all()
            return None
        finally:
            self._forget(plain)
        with self._changed:
            self._sockets.add(sock)
        return sock

    def _next_behavior(self, request: Recorded) -> Behavior:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            script = self._scripts["POST" if request.method == "POST" else "GET"]
            return script.pop(0) if len(script) > 1 else script[0]


def _read_request(stream: Any) -> Recorded | None:
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Recorded(first[0], first[1], headers, body)


@contextmanager
def refusing_url() -> Iterator[str]:
    """An address that refuses connections; the port stays reserved."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def blackhole_url() -> Iterator[str]:
    """An address that never answers a SYN: a listener with a full backlog."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [_knock(listener.getsockname()) for _ in range(4)]
        try:
            # The first connections fill the backlog; the last get no answer.
            assert not select.select([], fillers[-1:], [], 0.05)[1], "the queue is not full"
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


def _knock(address: tuple[str, int]) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(address)
    return sock
