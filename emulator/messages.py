"""What comes in and what goes out, as plain values: Request and Answer. No sockets, no rules."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; `query` is the raw query string."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def args(self) -> dict[str, str]:
        """Query parameters, decoded; of a repeated one the last counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json(self) -> Any:
        """The body as JSON; None when it is empty. Raises ValueError."""
        try:
            return json.loads(self.body) if self.body.strip() else None
        except RecursionError as problem:
            raise ValueError("the body is nested too deeply") from problem


@dataclass(slots=True)
class Answer:
    """One answer before it is put on the wire. `entry` is the ledger's line of a write."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": JSON_TYPE})
    entry: dict[str, Any] | None = None

    def head(self, *, length: int | None) -> bytes:
        """Status line and headers; without a length the end of the body is the connection's."""
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


def dump(value: Any) -> bytes:
    """Compact JSON in UTF-8; lone surrogates, which UTF-8 cannot hold, as \\u escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def answer(value: Any, status: int = 200, *, entry: dict[str, Any] | None = None) -> Answer:
    return Answer(status, dump(value), entry=entry)


def error(status: int, sentence: str, *, entry: dict[str, Any] | None = None) -> Answer:
    """Goody's error envelope: one sentence, nothing else."""
    return answer({"error": sentence}, status, entry=entry)
