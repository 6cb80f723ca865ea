"""A threaded HTTP server with keep-alive for an Emulator."""

import re
import socket
import socketserver
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

from emulator.app import DEFAULT_KEY, Emulator
from emulator.connection import ClientConnection
from emulator.messages import Request, error_response

_MAX_BODY = 1024 * 1024


class Server(ThreadingHTTPServer):
    """An HTTP server that listens when it is created and answers after start().

    Port 0 means a free port.
    """

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
        """End all connections, even those that wait, and release the port."""
        self.emulator.state.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            _shut_down(connection)
        self.server_close()

    def server_bind(self) -> None:
        # HTTPServer resolves the host's name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = cast(tuple[str, int], self.server_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print errors except those of clients that disconnected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # It may be closed already.
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_method(self) -> None:
        connection = self._connection()
        length = self._body_length()
        if length is None:
            connection.send(error_response(413, "Body is too large or has no length"))
            self.close_connection = True
            return
        self.server.emulator.handle(self._request(self.rfile.read(length)), connection)
        if not connection.is_open:
            self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        """http.server looks up do_GET and so on; every method, even an unknown one, is handled."""
        if name.startswith("do_"):
            return self.handle_method
        raise AttributeError(name)

    def send_error(
        self,
        code: int,
        message: str | None = None,
        explain: str | None = None,  # noqa: ARG002 - Goody's envelope has one message
    ) -> None:
        """Answer a request that is not valid HTTP in Goody's envelope, and end the connection."""
        self.close_connection = True
        self._connection().send(error_response(code, message or HTTPStatus(code).phrase))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing; /_emulator/calls has the calls."""

    def _connection(self) -> ClientConnection:
        stopping = self.server.emulator.state.stopping
        return ClientConnection(
            self.connection, stopping=stopping, has_bodies=self.command != "HEAD"
        )

    def _body_length(self) -> int | None:
        """Return the Content-Length; None if the body is too large or its length unknown."""
        text = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", text):
            return None
        return int(text) if int(text) <= _MAX_BODY else None

    def _request(self, body: bytes) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path, query, headers, body)


@contextmanager
def running_server(
    *, orders: int = 200, seed: int = 1, now: int, key: str = DEFAULT_KEY, port: int = 0
) -> Iterator[Server]:
    """Run a server in a thread of this process, for tests."""
    server = Server(Emulator(orders=orders, seed=seed, now=now, key=key), port=port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
