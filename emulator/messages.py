"""HTTP requests and responses as plain values."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `query` is the raw query string, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def args(self) -> dict[str, str]:
        """Return decoded query parameters; the last value of a repeated one."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json(self) -> Any:
        """Return the decoded JSON body, None if it is empty. Raises ValueError."""
        try:
            return json.loads(self.body) if self.body.strip() else None
        except RecursionError as error:
            raise ValueError("the body is nested too deeply") from error


@dataclass(slots=True)
class Response:
    """A response. `entry` is the ledger entry of the write that it answers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": JSON_TYPE})
    entry: Json | None = None

    def encode_head(self, *, length: int | None) -> bytes:
        """Return status line and headers. Without a length, the body ends with the connection."""
        headers = dict(self.headers)
        if length is not None:
            headers["Content-Length"] = str(length)
        lines = [f"HTTP/1.1 {self.status} {_reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def dump_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; lone surrogates, which UTF-8 cannot encode, as \\u escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def json_response(value: Any, status: int = 200, *, entry: Json | None = None) -> Response:
    return Response(status, dump_json(value), entry=entry)


def error_response(status: int, message: str, *, entry: Json | None = None) -> Response:
    """Return Goody's error envelope: {"error": message}."""
    return json_response({"error": message}, status, entry=entry)
