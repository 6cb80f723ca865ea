"""A reverse proxy in front of a dashboard, which can answer requests itself.

It stands for the load balancers, single sign-ons and captive portals of a company, which answer
some requests with pages of their own (`Proxy.answer`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

PAGE = "<!doctype html><title>Portal</title><h1 id='portal'>Please sign in to the network</h1>"
# Set anew for each connection.
_OF_A_CONNECTION = {"connection", "content-encoding", "content-length", "transfer-encoding"}


class Proxy:
    """Forwards requests on `url` to `upstream`, with one thread for each connection."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.http = requests.Session()
        self.http.trust_env = False
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
        self.http.close()


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
                self._send(status, {"Content-Type": "text/html; charset=utf-8"}, page.encode())
                return
            answer = requests.request(
                self.command,
                proxy.upstream + self.path,
                data=body,
                headers=dict(self.headers),
                timeout=60,
                allow_redirects=False,
            )
            kept = [
                one for one in answer.raw.headers.items() if one[0].lower() not in _OF_A_CONNECTION
            ]
            self._send(answer.status_code, kept, answer.content)

        def _send(self, status: int, headers: Any, body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items() if isinstance(headers, dict) else headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet: a failing test shows what the browser saw."""

    return Handler
