"""The HTTP side: a threaded keep-alive server that sends each request to its place.

/_emulator/ goes to control.py. Everything else is counted, made slow if asked, and either answered
by api.py or spoiled by a fault of faults.py. No rules of Goody here.
"""

import re
import socket
import socketserver
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, cast

from emulator.api import Api, pattern
from emulator.calls import Calls
from emulator.control import PREFIX, Control
from emulator.faults import FaultBook
from emulator.messages import Request, error
from emulator.render import stamp
from emulator.spoil import Late, play
from emulator.store import Store
from emulator.wire import Wire

MAX_BODY = 1024 * 1024
DEFAULT_KEY = "test-key"


class Emulator:
    """A whole fake Goody: state, rules, faults, counts. Knows no sockets but through Wire."""

    def __init__(self, *, orders: int, seed: int, now: int, key: str = DEFAULT_KEY) -> None:
        self.stopping = Event()
        self.latency = 0.0
        self.store = Store(orders=orders, seed=seed, now=now)
        self.api = Api(self.store, key=key)
        self.calls = Calls()
        self.faults = FaultBook()
        self.late = Late(self.stopping)
        self.control = Control(self)

    def serve(self, request: Request, wire: Wire) -> None:
        """Answer one request on its connection."""
        if request.path.startswith(PREFIX):
            wire.send(self.control.respond(request))
            return
        at = stamp(int(self.store.clock.now()))
        self.calls.begin(pattern(request), path=request.path, query=request.query, at=at)
        try:
            self._answer(request, wire)
        finally:
            self.calls.end()

    def reset(self) -> None:
        """As just started: data, clock, switches, faults, counts, latency."""
        self.latency = 0.0
        self.late.forget()
        self.faults.clear()
        self.store.reset()
        self.calls.zero()

    def _answer(self, request: Request, wire: Wire) -> None:
        if self.latency:
            self.stopping.wait(self.latency)
        rule = self.faults.take(method=request.method, path=request.path)
        if rule is None:
            wire.send(self.api.respond(request))
        else:
            play(
                rule.fault,
                wire=wire,
                honest=lambda: self.api.respond(request),
                late=self.late,
                stopping=self.stopping,
            )


class Server(ThreadingHTTPServer):
    """Listens at once; answers after start(). Port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, emulator: Emulator, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.emulator = emulator
        self._open: set[socket.socket] = set()
        super().__init__((host, port), _Handler)
        self._thread = Thread(target=self.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        host, port = cast(tuple[str, int], self.server_address)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End every connection, also hanging ones, and free the port."""
        self.emulator.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            _shut(connection)
        self.server_close()

    def server_bind(self) -> None:
        # HTTPServer would look up the host's name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = cast(tuple[str, int], self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are everyday life here; anything else is our bug and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # It may be gone already.
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def serve(self) -> None:
        wire = self._wire()
        length = self._length()
        if length is None:
            wire.send(error(413, "Body is too large or has no length"))
            self.close_connection = True
            return
        self.server.emulator.serve(self._request(self.rfile.read(length)), wire)
        if not wire.is_open:
            self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        """http.server looks for do_ and the method: all of them come here, unknown ones too."""
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,  # noqa: ARG002 - the envelope has one sentence
    ) -> None:
        """What cannot be read as HTTP: Goody's envelope too, then the end of the connection."""
        self.close_connection = True
        self._wire().send(error(code, message or HTTPStatus(code).phrase))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: /_emulator/calls tells more than a log."""

    def _wire(self) -> Wire:
        is_head = self.command == "HEAD"
        return Wire(self.connection, stopping=self.server.emulator.stopping, has_bodies=not is_head)

    def _length(self) -> int | None:
        text = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", text):
            return None
        return int(text) if int(text) <= MAX_BODY else None

    def _request(self, body: bytes) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, query, headers, body)


@contextmanager
def running(
    *, orders: int = 200, seed: int = 1, now: int, key: str = DEFAULT_KEY, port: int = 0
) -> Iterator[Server]:
    """A server in a thread of this process, for tests; its address is `.url`."""
    server = Server(Emulator(orders=orders, seed=seed, now=now, key=key), port=port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
