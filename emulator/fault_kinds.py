"""The kinds of faults: the effect of each on a request and its response.

faults.py decides which requests get one; connection.py has the transport faults.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from threading import Event
from typing import Any

from emulator.connection import ClientConnection
from emulator.late_requests import Handler, LateRequests, record_answer_in_ledger
from emulator.messages import JSON_TYPE, Json, Response, dump_json, error_response
from emulator.validation import (
    COUNT,
    OBJECT,
    SECONDS,
    STRING,
    STRING_PAIRS,
    STRINGS,
    ValueCheck,
    choice_of,
    integer_between,
)

_HTML = b"<!doctype html><html><body><h1>Something went wrong</h1></body></html>\n"
_HTML_TYPE = "text/html; charset=utf-8"
_BLOCK = b" " * 65536
_HEADER_LENGTH = 4000
# Raised for a dotted name that the response does not have.
_MISSING = (LookupError, TypeError, ValueError)


class FaultContext:
    """One request, the fault that applies to it, and its connection."""

    def __init__(
        self,
        fault: Json,
        *,
        connection: ClientConnection,
        handle: Handler,
        late: LateRequests,
        stopping: Event,
    ) -> None:
        self.fault = fault
        self.connection = connection
        self.handle = handle
        self.late = late
        self._stopping = stopping

    def option(self, name: str, default: Any) -> Any:
        return self.fault.get(name, default)

    def sleep(self) -> None:
        """Sleep for the option `seconds`, even if the client disconnects."""
        self._stopping.wait(float(self.option("seconds", 1.0)))

    def handle_request(self) -> Response:
        """Handle the request and return the response; its ledger entry names the fault."""
        return record_answer_in_ledger(self.handle(), str(self.fault["kind"]))

    def make_replacement_response(self, default_status: int) -> Response:
        """Return the response that the options status, headers, body and text define."""
        status = int(self.option("status", default_status))
        response = _replacement(status, str(self.option("body", "json")), self.fault.get("text"))
        response.headers.update({k: str(v) for k, v in self.option("headers", {}).items()})
        return response

    def end_connection(self, how: str) -> None:
        """End the connection: "reset" or "close"."""
        if how == "reset":
            self.connection.reset()
        else:
            self.connection.close()


def _replacement(status: int, body: str, text: str | None) -> Response:
    if body == "html":
        return Response(status, _encode(text or "") or _HTML, {"Content-Type": _HTML_TYPE})
    if body == "empty":
        return Response(status, b"", {})
    if body == "text":
        return Response(status, _encode(text or ""), {"Content-Type": JSON_TYPE})
    return error_response(status, text or f"Emulated {status}")


def _encode(text: str) -> bytes:
    """Encode as UTF-8, lone surrogates too, so that a fault can send any text."""
    return text.encode("utf-8", "surrogatepass")


# --- Delays and lost responses ---


def _delay(context: FaultContext) -> None:
    """Wait, then handle the request and respond as usual, like a slow server."""
    context.sleep()
    context.connection.send(context.handle_request())


def _apply_then_hang(context: FaultContext) -> None:
    response = context.handle_request()
    context.connection.wait_while_connected(float(context.option("seconds", 60)))
    if context.option("then", "close") == "answer":
        context.connection.send(response)
    else:
        context.end_connection(context.option("then", "close"))


def _apply_then_reset(context: FaultContext) -> None:
    context.handle_request()
    context.connection.reset()


def _apply_then_status(context: FaultContext) -> None:
    context.handle_request()
    context.connection.send(context.make_replacement_response(500))


def _late_apply(context: FaultContext) -> None:
    """Fail at once, and apply the request later, or at POST /_emulator/late."""
    context.late.add(float(context.option("seconds", 90)), context.handle)
    if context.option("then", "reset") == "status":
        context.connection.send(context.make_replacement_response(500))
        return
    if context.option("then", "reset") == "hang":
        context.connection.wait_while_connected(float(context.option("hang_seconds", 60)))
    context.end_connection(context.option("then", "reset"))


# --- Replaced responses ---


def _status(context: FaultContext) -> None:
    context.connection.send(context.make_replacement_response(500))


def _redirect(context: FaultContext) -> None:
    response = Response(int(context.option("status", 302)), b"", {"Content-Type": _HTML_TYPE})
    response.headers["Location"] = str(context.option("location", "https://elsewhere.example.com/"))
    context.connection.send(response)


def _body(context: FaultContext) -> None:
    _BODIES[context.option("as", "html")](context)


def _html_body(context: FaultContext) -> None:
    context.connection.send(Response(200, _HTML, {"Content-Type": _HTML_TYPE}))


def _text_body(context: FaultContext) -> None:
    context.connection.send(_replacement(200, "text", str(context.option("text", ""))))


def _truncated_json(context: FaultContext) -> None:
    response = context.handle_request()
    response.body = response.body[: len(response.body) // 2]
    context.connection.send(response)


def _wrong_type(context: FaultContext) -> None:
    response = context.handle_request()
    response.headers["Content-Type"] = str(context.option("content_type", "text/plain"))
    context.connection.send(response)


def _huge(context: FaultContext) -> None:
    """Send one JSON string of `bytes` bytes with its true Content-Length."""
    size = int(context.option("bytes", 50 * 1024 * 1024))
    context.connection.send_bytes(Response(200, b"").encode_head(length=size) + b'"')
    for start in range(0, size - 2, len(_BLOCK)):
        context.connection.send_bytes(_BLOCK[: size - 2 - start])
    context.connection.send_bytes(b'"')


def _endless(context: FaultContext) -> None:
    response = Response(200, b"", {"Content-Type": JSON_TYPE, "Transfer-Encoding": "chunked"})
    context.connection.send_bytes(response.encode_head(length=None))
    context.connection.send_chunks(repeat(_BLOCK))
    context.connection.close()


_BODIES: dict[str, Callable[[FaultContext], None]] = {
    "html": _html_body,
    "text": _text_body,
    "truncated_json": _truncated_json,
    "wrong_type": _wrong_type,
    "huge": _huge,
    "endless": _endless,
}


def _headers(context: FaultContext) -> None:
    """Send the regular response with more headers, `bytes` of them padding."""
    response = context.handle_request()
    response.headers.update({k: str(v) for k, v in context.option("set", {}).items()})
    for n in range(int(context.option("bytes", 0)) // _HEADER_LENGTH):
        response.headers[f"X-Padding-{n}"] = "x" * _HEADER_LENGTH
    context.connection.send(response)


# --- Truncated and slow responses ---


def _cut(context: FaultContext) -> None:
    at = context.option("at", "before")
    if at == "before":
        context.end_connection(context.option("end", "reset"))
        return
    response = context.handle_request()
    head = response.encode_head(length=None if at == "unbounded" else len(response.body))
    half_body = response.body[: len(response.body) // 2]
    context.connection.send_bytes(head[: len(head) // 2] if at == "head" else head + half_body)
    context.end_connection("reset" if at in ("head", "body") else "close")


def _drip(context: FaultContext) -> None:
    response = context.handle_request()
    head, body = response.encode_head(length=len(response.body)), response.body
    if context.option("part", "body") == "body":
        context.connection.send_bytes(head)
        head = b""
    size, interval = int(context.option("bytes", 1)), float(context.option("interval", 0.1))
    context.connection.send_slowly(head + body, size=max(size, 1), interval=interval)
    context.connection.close()


# --- Changed responses ---


def _mutate(context: FaultContext) -> None:
    """Set and remove fields of the order, or of rows of a list; then replace text.

    Names are dotted (cart.items.0.quantity). `envelope` sets fields of the whole body. A field
    that the order does not have is not removed, and nothing is set inside it.
    """
    response = context.handle_request()
    body = json.loads(response.body)
    for order in _selected_rows(body, context.option("row", 0)):
        _change_fields(order, context.option("set", {}), context.option("remove", []))
    _change_fields(body, context.option("envelope", {}), [])
    response.body = dump_json(body)
    for old, new in context.option("replace", []):
        response.body = response.body.replace(_encode(old), _encode(new))
    context.connection.send(response)


def _selected_rows(body: Any, row: Any) -> list[Json]:
    if "data" not in body:
        return [body]
    rows: list[Json] = body["data"]
    return rows if row == "all" else rows[int(row) : int(row) + 1]


def _change_fields(target: Json, values: Json, removed: list[str]) -> None:
    for name, value in values.items():
        with suppress(*_MISSING):
            container, key = _resolve(target, name)
            container[key] = value
    for name in removed:
        with suppress(*_MISSING):
            container, key = _resolve(target, name)
            del container[key]


def _resolve(target: Any, dotted: str) -> tuple[Any, Any]:
    """Return (container, key or index) of a dotted name."""
    *path, last = [int(part) if part.isdecimal() else part for part in dotted.split(".")]
    for part in path:
        target = target[part]
    return target, last


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault: the function that carries it out, and the checks of its options."""

    run: Callable[[FaultContext], None]
    options: Mapping[str, ValueCheck]


_STATUS = integer_between(200, 999)
_ROW = integer_between(0, 100)
_REPLACEMENT = {
    "status": _STATUS,
    "headers": OBJECT,
    "body": choice_of("json", "html", "empty", "text"),
    "text": STRING.allowing_null(),
}

FAULT_KINDS: dict[str, FaultKind] = {
    "delay": FaultKind(_delay, {"seconds": SECONDS}),
    "apply_then_hang": FaultKind(
        _apply_then_hang, {"seconds": SECONDS, "then": choice_of("close", "reset", "answer")}
    ),
    "apply_then_reset": FaultKind(_apply_then_reset, {}),
    "apply_then_status": FaultKind(_apply_then_status, _REPLACEMENT),
    "late_apply": FaultKind(
        _late_apply,
        {
            "seconds": SECONDS,
            "then": choice_of("reset", "hang", "close", "status"),
            "hang_seconds": SECONDS,
            **_REPLACEMENT,
        },
    ),
    "status": FaultKind(_status, _REPLACEMENT),
    "redirect": FaultKind(_redirect, {"status": _STATUS, "location": STRING}),
    "body": FaultKind(
        _body, {"as": choice_of(*_BODIES), "text": STRING, "content_type": STRING, "bytes": COUNT}
    ),
    "headers": FaultKind(_headers, {"set": OBJECT, "bytes": COUNT}),
    "cut": FaultKind(
        _cut,
        {
            "at": choice_of("before", "head", "body", "short", "unbounded"),
            "end": choice_of("reset", "close"),
        },
    ),
    "drip": FaultKind(
        _drip, {"part": choice_of("body", "headers"), "bytes": COUNT, "interval": SECONDS}
    ),
    "mutate": FaultKind(
        _mutate,
        {
            "set": OBJECT,
            "remove": STRINGS,
            "row": ValueCheck(
                lambda row: row == "all" or _ROW.is_valid(row), f'{_ROW.description}, or "all"'
            ),
            "envelope": OBJECT,
            "replace": STRING_PAIRS,
        },
    ),
}
