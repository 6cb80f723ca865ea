"""The access log: one line a request, which no client can forge, without personal data."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from goodyadmin.logs import JsonFormatter, LineFormatter
from testing.processes import LiveApp, WebProcess, wait_for
from testing.users import make_user
from testing.vendor import Emulator

type Start = Callable[..., LiveApp]

FORGED = "/orders/%0A2026-01-01%20INFO%20access%20%1B%5B2J%E2%80%AE"


def lines_of(web: WebProcess) -> list[dict[str, Any]]:
    """Return the JSON lines of the access log so far, without gunicorn's own lines."""
    found = [json.loads(line) for line in web.output().splitlines() if line.startswith("{")]
    return [line for line in found if line["logger"] == "access" and "readyz" not in line["path"]]


def ask(web: WebProcess, request: bytes) -> None:
    where = urlsplit(web.url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(request)
        while connection.recv(65536):
            pass


@pytest.mark.sqlite_only(reason="nothing of it is stored")
def test_json_line_has_user_path_and_status(live_app: Start, emulator: Emulator) -> None:
    app = live_app(LOG_FORMAT="json", BEHIND_PROXY="true", PROXY_COUNT="2")
    agent, web = app.log_in("agent"), app.webs[0]
    forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.0.0.1"}
    answer = agent.get("/orders/?q=maria@acme.example", headers=forwarded)
    line = wait_for(lambda: [one for one in lines_of(web) if one["path"] == "/orders/"])[-1]
    assert line.pop("milliseconds") >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("at"))
    message = line.pop("message")
    assert line == {
        "level": "INFO",
        "logger": "access",
        "request_id": answer.headers["X-Request-Id"],
        "client": "203.0.113.9",
        "user_id": make_user("agent").pk,
        "method": "GET",
        "path": "/orders/",
        "status": 200,
        "bytes": int(answer.headers["Content-Length"]),
    }
    assert '"GET /orders/" 200' in message
    assert "acme" not in web.output()


@pytest.mark.sqlite_only(reason="nothing of it is stored")
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_control_characters_in_paths_are_escaped(live_app: Start, log_format: str) -> None:
    app = live_app(LOG_FORMAT=log_format)
    web = app.webs[0]
    ask(web, f"GET {FORGED} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    wait_for(lambda: FORGED in web.output(), what="the line")
    assert "\n2026-01-01" not in web.output()
    assert "\x1b" not in web.output()


@pytest.mark.sqlite_only(reason="nothing of it is stored")
def test_requests_refused_by_the_server_are_logged(live_app: Start) -> None:
    app = live_app(LOG_FORMAT="json")
    web = app.webs[0]
    ask(web, b"POST /login/ HTTP/1.0\r\nContent-Length: 9999999\r\n\r\n")
    line = wait_for(lambda: lines_of(web))[-1]
    assert (line["status"], line["method"], line["path"]) == (413, "POST", "/login/")


def record(message: str, exception: Exception | None = None) -> logging.LogRecord:
    info = (type(exception), exception, None) if exception else None
    made = logging.LogRecord("a.logger", logging.ERROR, __file__, 1, message, None, info)
    made.request_id = "-"
    return made


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_control_characters_are_escaped_in_every_line(formatter: logging.Formatter) -> None:
    text = formatter.format(record("a\nb\x1b[2J\u2028c\u202e\x85", ValueError("x\ny\x1b")))
    first, *more = text.split("\n")
    assert not set(text) & set("\x1b\x85\u2028\u202e")
    assert "b" in first
    assert all(line.startswith("    ") for line in more)
