"""What a fault does to one answer: late, cut, replaced, bent, dripped, or applied in silence.

Each kind is one function and says whether the request reaches the store. Which request is struck
is decided in faults.py; how bytes go wrong on a socket is in wire.py.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from threading import Event, Lock, Thread
from typing import Any

from emulator.checks import (
    AMOUNT,
    OBJECT,
    REPLACEMENTS,
    SECONDS,
    TEXT,
    TEXTS,
    Check,
    one_of,
    whole,
)
from emulator.messages import JSON_TYPE, Answer, dump, error
from emulator.wire import Wire

Json = dict[str, Any]
Honest = Callable[[], Answer]

_HTML = b"<!doctype html><html><body><h1>Something went wrong</h1></body></html>\n"
_HTML_TYPE = "text/html; charset=utf-8"
_BLOCK = b" " * 65536
_HEADER_LINE = 4000
# What Python says of a dotted name that leads nowhere in an answer.
_NOWHERE = (LookupError, TypeError, ValueError)


class Late:
    """Requests that reach the store after their client was already let down."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._lock = Lock()
        self._waiting: list[tuple[Event, Honest]] = []

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def add(self, seconds: float, apply: Honest) -> None:
        """Apply after so many seconds, or at now()."""
        item = Event(), apply
        with self._lock:
            self._waiting.append(item)
        Thread(target=self._wait, args=(seconds, item), daemon=True).start()

    def now(self) -> int:
        """Apply everything that waits; returns how many."""
        with self._lock:
            waiting = list(self._waiting)
        return sum(self._apply(item) for item in waiting)

    def forget(self) -> None:
        """Drop everything that waits, unapplied."""
        with self._lock:
            dropped, self._waiting = self._waiting, []
        for done, _ in dropped:
            done.set()

    def _wait(self, seconds: float, item: tuple[Event, Honest]) -> None:
        if not item[0].wait(seconds) and not self._stopping.is_set():
            self._apply(item)

    def _apply(self, item: tuple[Event, Honest]) -> bool:
        with self._lock:
            if item not in self._waiting:
                return False
            self._waiting.remove(item)
        item[0].set()
        _note(item[1](), "late_apply")
        return True


class Strike:
    """One fault at work on one request."""

    def __init__(
        self, fault: Json, *, wire: Wire, honest: Honest, late: Late, stopping: Event
    ) -> None:
        self.fault = fault
        self.wire = wire
        self.honest = honest
        self.late = late
        self._stopping = stopping

    def get(self, name: str, default: Any) -> Any:
        return self.fault.get(name, default)

    def wait(self) -> None:
        """Sit still for `seconds`, whether or not the client is still there."""
        self._stopping.wait(float(self.get("seconds", 1.0)))

    def apply(self) -> Answer:
        """Let the request reach the store; the ledger notes how it was then answered."""
        return _note(self.honest(), str(self.fault["kind"]))

    def replacement(self, default_status: int) -> Answer:
        """An answer of the fault's own: status, headers, and body json, html, empty or text."""
        status = int(self.get("status", default_status))
        answer = _replaced(status, str(self.get("body", "json")), self.fault.get("text"))
        answer.headers.update({k: str(v) for k, v in self.get("headers", {}).items()})
        return answer

    def end(self, how: str) -> None:
        if how == "reset":
            self.wire.reset()
        else:
            self.wire.close()


def _note(honest: Answer, how: str) -> Answer:
    if honest.entry is not None:
        honest.entry["answered"] = how
    return honest


def _replaced(status: int, body: str, text: str | None) -> Answer:
    if body == "html":
        return Answer(status, _encode(text or "") or _HTML, {"Content-Type": _HTML_TYPE})
    if body == "empty":
        return Answer(status, b"", {})
    if body == "text":
        return Answer(status, _encode(text or ""), {"Content-Type": JSON_TYPE})
    return error(status, text or f"Emulated {status}")


def _encode(text: str) -> bytes:
    """UTF-8, in which lone surrogates come through: faults are to be able to send anything."""
    return text.encode("utf-8", "surrogatepass")


# -- late ------------------------------------------------------------------------------------


def _delay(strike: Strike) -> None:
    """Wait, then carry out and answer honestly, as a slow server does."""
    strike.wait()
    strike.wire.send(strike.apply())


def _apply_then_hang(strike: Strike) -> None:
    answer = strike.apply()
    strike.wire.hang(float(strike.get("seconds", 60)))
    if strike.get("then", "close") == "answer":
        strike.wire.send(answer)
    else:
        strike.end(strike.get("then", "close"))


def _apply_then_reset(strike: Strike) -> None:
    strike.apply()
    strike.wire.reset()


def _apply_then_status(strike: Strike) -> None:
    strike.apply()
    strike.wire.send(strike.replacement(500))


def _late_apply(strike: Strike) -> None:
    """Let the client down now; the request reaches the store later, or at POST .../late."""
    strike.late.add(float(strike.get("seconds", 90)), strike.honest)
    if strike.get("then", "reset") == "status":
        strike.wire.send(strike.replacement(500))
        return
    if strike.get("then", "reset") == "hang":
        strike.wire.hang(float(strike.get("hang_seconds", 60)))
    strike.end(strike.get("then", "reset"))


# -- replaced --------------------------------------------------------------------------------


def _status(strike: Strike) -> None:
    strike.wire.send(strike.replacement(500))


def _redirect(strike: Strike) -> None:
    answer = Answer(int(strike.get("status", 302)), b"", {"Content-Type": _HTML_TYPE})
    answer.headers["Location"] = str(strike.get("location", "https://elsewhere.example.com/"))
    strike.wire.send(answer)


def _body(strike: Strike) -> None:
    _BODIES[strike.get("as", "html")](strike)


def _html_body(strike: Strike) -> None:
    strike.wire.send(Answer(200, _HTML, {"Content-Type": _HTML_TYPE}))


def _text_body(strike: Strike) -> None:
    strike.wire.send(_replaced(200, "text", str(strike.get("text", ""))))


def _half_json(strike: Strike) -> None:
    answer = strike.apply()
    answer.body = answer.body[: len(answer.body) // 2]
    strike.wire.send(answer)


def _wrong_type(strike: Strike) -> None:
    answer = strike.apply()
    answer.headers["Content-Type"] = str(strike.get("content_type", "text/plain"))
    strike.wire.send(answer)


def _huge(strike: Strike) -> None:
    """One JSON string of `bytes` characters, with an honest Content-Length."""
    size = int(strike.get("bytes", 50 * 1024 * 1024))
    strike.wire.raw(Answer(200, b"").head(length=size) + b'"')
    for start in range(0, size - 2, len(_BLOCK)):
        strike.wire.raw(_BLOCK[: size - 2 - start])
    strike.wire.raw(b'"')


def _endless(strike: Strike) -> None:
    answer = Answer(200, b"", {"Content-Type": JSON_TYPE, "Transfer-Encoding": "chunked"})
    strike.wire.raw(answer.head(length=None))
    strike.wire.chunks(repeat(_BLOCK))
    strike.wire.close()


_BODIES: dict[str, Callable[[Strike], None]] = {
    "html": _html_body,
    "text": _text_body,
    "truncated_json": _half_json,
    "wrong_type": _wrong_type,
    "huge": _huge,
    "endless": _endless,
}


def _headers(strike: Strike) -> None:
    """The honest answer with headers added, and `bytes` of padding in further headers."""
    answer = strike.apply()
    answer.headers.update({k: str(v) for k, v in strike.get("set", {}).items()})
    for n in range(int(strike.get("bytes", 0)) // _HEADER_LINE):
        answer.headers[f"X-Padding-{n}"] = "x" * _HEADER_LINE
    strike.wire.send(answer)


# -- cut and dripped -------------------------------------------------------------------------


def _cut(strike: Strike) -> None:
    """at: before (nothing is sent or applied), head, body, short, unbounded."""
    at = strike.get("at", "before")
    if at == "before":
        strike.end(strike.get("end", "reset"))
        return
    answer = strike.apply()
    head = answer.head(length=None if at == "unbounded" else len(answer.body))
    half = head[: len(head) // 2] if at == "head" else head + answer.body[: len(answer.body) // 2]
    strike.wire.raw(half)
    strike.end("reset" if at in ("head", "body") else "close")


def _drip(strike: Strike) -> None:
    answer = strike.apply()
    head, body = answer.head(length=len(answer.body)), answer.body
    if strike.get("part", "body") == "body":
        strike.wire.raw(head)
        head = b""
    size, interval = int(strike.get("bytes", 1)), float(strike.get("interval", 0.1))
    strike.wire.drip(head + body, size=max(size, 1), interval=interval)
    strike.wire.close()


# -- bent ------------------------------------------------------------------------------------


def _mutate(strike: Strike) -> None:
    """Fields of the order, or of rows of a list, set and removed; then text replaced.

    Names are dotted (cart.items.0.quantity); `envelope` sets names of the whole body. What an
    order left out is not there to be removed, and nothing is set inside of it.
    """
    answer = strike.apply()
    body = json.loads(answer.body)
    for order in _struck_rows(body, strike.get("row", 0)):
        _bend(order, strike.get("set", {}), strike.get("remove", []))
    _bend(body, strike.get("envelope", {}), [])
    answer.body = dump(body)
    for old, new in strike.get("replace", []):
        answer.body = answer.body.replace(_encode(old), _encode(new))
    strike.wire.send(answer)


def _struck_rows(body: Any, row: Any) -> list[Json]:
    if "data" not in body:
        return [body]
    rows: list[Json] = body["data"]
    return rows if row == "all" else rows[int(row) : int(row) + 1]


def _bend(target: Json, values: Json, removed: list[str]) -> None:
    for name, value in values.items():
        with suppress(*_NOWHERE):
            holder, last = _reach(target, name)
            holder[last] = value
    for name in removed:
        with suppress(*_NOWHERE):
            holder, last = _reach(target, name)
            del holder[last]


def _reach(target: Any, dotted: str) -> tuple[Any, Any]:
    *way, last = [int(part) if part.isdecimal() else part for part in dotted.split(".")]
    for part in way:
        target = target[part]
    return target, last


@dataclass(frozen=True)
class Kind:
    """What it does, and the options it takes besides `kind`."""

    run: Callable[[Strike], None]
    options: Mapping[str, Check]


_STATUS = whole(200, 999)
_ROW = whole(0, 100)
_OWN_ANSWER = {
    "status": _STATUS,
    "headers": OBJECT,
    "body": one_of("json", "html", "empty", "text"),
    "text": TEXT.or_null(),
}

KINDS: dict[str, Kind] = {
    "delay": Kind(_delay, {"seconds": SECONDS}),
    "apply_then_hang": Kind(
        _apply_then_hang, {"seconds": SECONDS, "then": one_of("close", "reset", "answer")}
    ),
    "apply_then_reset": Kind(_apply_then_reset, {}),
    "apply_then_status": Kind(_apply_then_status, _OWN_ANSWER),
    "late_apply": Kind(
        _late_apply,
        {
            "seconds": SECONDS,
            "then": one_of("reset", "hang", "close", "status"),
            "hang_seconds": SECONDS,
            **_OWN_ANSWER,
        },
    ),
    "status": Kind(_status, _OWN_ANSWER),
    "redirect": Kind(_redirect, {"status": _STATUS, "location": TEXT}),
    "body": Kind(
        _body, {"as": one_of(*_BODIES), "text": TEXT, "content_type": TEXT, "bytes": AMOUNT}
    ),
    "headers": Kind(_headers, {"set": OBJECT, "bytes": AMOUNT}),
    "cut": Kind(
        _cut,
        {
            "at": one_of("before", "head", "body", "short", "unbounded"),
            "end": one_of("reset", "close"),
        },
    ),
    "drip": Kind(_drip, {"part": one_of("body", "headers"), "bytes": AMOUNT, "interval": SECONDS}),
    "mutate": Kind(
        _mutate,
        {
            "set": OBJECT,
            "remove": TEXTS,
            "row": Check(lambda row: row == "all" or _ROW.fits(row), f'{_ROW.words}, or "all"'),
            "envelope": OBJECT,
            "replace": REPLACEMENTS,
        },
    ),
}


def play(fault: Json, *, wire: Wire, honest: Honest, late: Late, stopping: Event) -> None:
    """Spoil one request. `honest` carries it out and gives the honest answer."""
    KINDS[fault["kind"]].run(Strike(fault, wire=wire, honest=honest, late=late, stopping=stopping))
