"""A table of Goody's faults: the emulator's behavior and the text of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integration.pages import HOSTILE, WAITS, Json


@dataclass(frozen=True)
class Fault:
    """One fault and the expected pages.

    `read`: text and status of a list (also of an order without a copy). `state`, `kind`, `write`:
    the resulting operation and the text about it.
    """

    number: str
    fault: Json
    status: int
    read: str
    state: str
    kind: str
    write: str
    # The audit row that the fault adds.
    security: str = ""

    def shorten(self, settings: Any, **limits: float) -> None:
        """Shorten the limits if a limit ends this fault."""
        if self.kind == "deadline":
            for name, seconds in limits.items():
                setattr(settings, name, seconds)


CHECKED = "Outcome being checked"


def _status(code: int, **more: Any) -> Json:
    return {"kind": "status", "status": code, **more}


UNREACHABLE = "Goody unreachable"
UNEXPECTED = "Unexpected answer from Goody"
FAULTS = [
    Fault(
        "F4 slow headers",
        {"kind": "apply_then_hang", "seconds": 3},
        503,
        UNREACHABLE,
        "unknown",
        "deadline",
        CHECKED,
    ),
    Fault(
        "F4 dripped headers",
        {"kind": "drip", "part": "headers", "interval": 0.05},
        503,
        UNREACHABLE,
        "unknown",
        "deadline",
        CHECKED,
    ),
    Fault(
        "F5 dripped body",
        {"kind": "drip", "interval": 0.05},
        503,
        UNREACHABLE,
        "unknown",
        "deadline",
        CHECKED,
    ),
    Fault(
        "F6 reset", {"kind": "cut", "at": "before"}, 503, UNREACHABLE, "unknown", "reset", CHECKED
    ),
    Fault(
        "F7 short", {"kind": "cut", "at": "short"}, 503, UNREACHABLE, "unknown", "reset", CHECKED
    ),
    Fault(
        "F8 cut",
        {"kind": "cut", "at": "unbounded"},
        502,
        UNEXPECTED,
        "unknown",
        "bad_body",
        CHECKED,
    ),
    Fault(
        "F9 a page",
        {"kind": "body", "as": "html"},
        502,
        UNEXPECTED,
        "unknown",
        "content_type",
        CHECKED,
    ),
    Fault(
        "F9 another type",
        {"kind": "body", "as": "wrong_type"},
        502,
        UNEXPECTED,
        "unknown",
        "content_type",
        CHECKED,
    ),
    Fault(
        "F12 401",
        _status(401),
        503,
        "Connection problem",
        "refused",
        "key_rejected",
        "This dashboard had no working connection to Goody.",
    ),
    Fault(
        "F13 403",
        _status(403, text=HOSTILE),
        502,
        "Not allowed for this key",
        "refused",
        "forbidden",
        "Goody does not allow this for this key",
    ),
    Fault(
        "F15 400",
        _status(400, text=HOSTILE),
        502,
        "Goody refused the request",
        "refused",
        "rejected",
        f"Goody refused: {HOSTILE}.",
    ),
    Fault(
        "F15 422 without JSON",
        _status(422, body="html"),
        502,
        "Goody refused the request",
        "refused",
        "rejected",
        "Goody refused: Goody gave no reason (HTTP 422).",
    ),
    Fault(
        "F15 409 without a body",
        _status(409, body="empty"),
        502,
        "Goody refused the request",
        "refused",
        "rejected",
        "Goody refused: Goody gave no reason (HTTP 409).",
    ),
    Fault(
        "F16 seconds",
        _status(429, headers={"Retry-After": "90"}),
        503,
        WAITS,
        "refused",
        "rate_limited",
        WAITS,
    ),
    Fault(
        "F16 a date",
        _status(429, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}),
        503,
        WAITS,
        "refused",
        "rate_limited",
        WAITS,
    ),
    Fault(
        "F16 negative",
        _status(429, headers={"Retry-After": "-5"}),
        503,
        WAITS,
        "refused",
        "rate_limited",
        WAITS,
    ),
    Fault(
        "F16 rubbish",
        _status(429, headers={"Retry-After": "soon"}),
        503,
        WAITS,
        "refused",
        "rate_limited",
        WAITS,
    ),
    Fault(
        "F16 ten hours",
        _status(429, headers={"Retry-After": "36000"}),
        503,
        WAITS,
        "refused",
        "rate_limited",
        WAITS,
    ),
    Fault("F17 429 alone", _status(429), 503, WAITS, "refused", "rate_limited", WAITS),
    *(
        Fault(
            f"F18 {code}",
            _status(code, body="html"),
            503,
            UNREACHABLE,
            "unknown",
            "server_error",
            CHECKED,
        )
        for code in (500, 502, 503, 504)
    ),
    *(
        Fault(
            f"F{19 if code < 307 else 20} {code}",
            {"kind": "redirect", "status": code, "location": "https://evil.example/"},
            502,
            "Unexpected redirect from Goody",
            "unknown",
            "redirect",
            CHECKED,
            "goody_redirect",
        )
        for code in (301, 302, 303, 307, 308)
    ),
    Fault(
        "F21 huge",
        {"kind": "body", "as": "huge", "bytes": 6_000_000},
        502,
        "Goody's answer was too large",
        "unknown",
        "too_large",
        CHECKED,
    ),
    Fault(
        "F21 endless",
        {"kind": "body", "as": "endless"},
        502,
        "Goody's answer was too large",
        "unknown",
        "too_large",
        CHECKED,
    ),
    Fault("F21 headers", {"kind": "headers", "bytes": 400_000}, 502, "", "unknown", "", CHECKED),
    Fault(
        "F22 deep",
        {"kind": "body", "as": "text", "text": "[" * 100_000},
        502,
        UNEXPECTED,
        "unknown",
        "bad_json",
        CHECKED,
    ),
    Fault(
        "F22 twice",
        {"kind": "body", "as": "text", "text": '{"data":[],"data":[]}'},
        502,
        UNEXPECTED,
        "unknown",
        "bad_json",
        CHECKED,
    ),
    Fault(
        "F22 NaN",
        {"kind": "body", "as": "text", "text": '{"data":NaN}'},
        502,
        UNEXPECTED,
        "unknown",
        "bad_json",
        CHECKED,
    ),
    Fault(
        "F22 big",
        {"kind": "body", "as": "text", "text": '{"data":' + "9" * 5000 + "}"},
        502,
        UNEXPECTED,
        "unknown",
        "bad_json",
        CHECKED,
    ),
]
