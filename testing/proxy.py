"""A reverse proxy in front of a dashboard, which can answer requests itself.

It stands for the load balancers, single sign-ons and captive portals of a company, which answer
some requests with pages of their own (`Proxy.answer`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PAGE = "<!doctype html><title>Portal</title><h1 id='portal'>Please sign in to the network</h1>"
# Set anew for each connection.
_OF_A_CONNECTION = {"connection", "content-length", "transfer-encoding"}
_HTML = [("Content-Type", "text/html; charset=utf-8")]


class Proxy:
    """Forwards requests on `url` to `upstream`, with one thread for each connection."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self._answers: list[tuple[str, str, int, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, path: str, *, method: str = "", status: int = 200, page: str = PAGE) -> None:
        """Answer further requests whose path contains `path` with a page of the proxy."""
        self._answers.append((path, method, status, page))

    def pass_through(self) -> None:
        self._answers.clear()

    def own_answer(self, method: str, path: str) -> tuple[int, str] | None:
        for part, only, status, page in self._answers:
            if part in path and only in ("", method):
                return status, page
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def proxy_of(upstream: str) -> Iterator[Proxy]:
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()


def _handler_of(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            own = proxy.own_answer(self.command, self.path)
            if own:
                status, page = own
                self._send(status, _HTML, page.encode())
                return
            with closing(HTTPConnection(proxy.upstream, timeout=60)) as connection:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                self._send(answer.status, answer.getheaders(), answer.read())

        def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            kept = [one for one in headers if one[0].lower() not in _OF_A_CONNECTION]
            for name, value in kept:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet: a failing test shows what the browser saw."""

    return Handler
