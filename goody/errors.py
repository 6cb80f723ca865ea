"""The exceptions of the client.

    GoodyError
    ├── Unavailable       no usable response, and certainly nothing was changed
    ├── OutcomeUnknown    a write may have reached Goody, and its outcome is not known
    ├── Rejected          Goody rejected the request (4xx) and changed nothing
    │   ├── NotFound          404
    │   ├── Unauthorized      401
    │   └── RateLimited       429
    └── BadResponse       the response to a read is not a documented one

responses.py maps failures to these exceptions. `str()` of every error may be shown and logged: it
contains neither the key nor personal data.
"""

import hashlib
import re
from dataclasses import dataclass

EXCERPT_BYTES = 200
MESSAGE_CHARS = 300
# Redaction reads more than it keeps, so that no e-mail address or token is truncated and missed.
_REDACTION_WINDOW = 4000

_EMAIL = re.compile(r"[^\s@<>\"'()]+@[^\s@<>\"'()]*")
# The string values of JSON members may be names; only the value of "error" is kept.
_JSON_TEXT = re.compile(r'(?<!"error")(:\s*)"(?:[^"\\]|\\.)*"?')
# A long word with a digit or capital letter; without either it is the name of a field.
_TOKEN = re.compile(r"(?=[a-z_\-]*[A-Z0-9])[A-Za-z0-9_\-]{16,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

KIND_DESCRIPTIONS = {
    "dns": "the name of Goody's server could not be resolved",
    "connect": "no connection to Goody could be made",
    "tls": "a secure connection to Goody could not be made",
    "deadline": "Goody did not answer in time",
    "slots": "too many calls to Goody were running",
    "breaker": "Goody failed repeatedly, so calls to it are paused",
    "closed": "the client was closed",
    "reset": "the connection to Goody was lost",
    "server_error": "Goody reported an internal error",
    "redirect": "Goody answered with an unexpected redirect",
    "status": "Goody answered with an unexpected status",
    "content_type": "Goody answered with something other than JSON",
    "bad_body": "Goody's answer was incomplete or damaged",
    "too_large": "Goody's answer was too large",
    "bad_json": "Goody's answer could not be understood",
    "mismatch": "Goody answered with another order than the one asked for",
    "refused": "Goody refused the request",
    "not_found": "Goody does not know this order",
    "unauthorized": "Goody rejected the API key",
    "rate_limited": "Goody asks for fewer calls",
}


@dataclass(frozen=True, kw_only=True)
class ResponseExcerpt:
    """The part of a response that may be logged.

    `body_start` has at most 200 bytes of the redacted body (see `redact`). `sha256` is the hex
    digest of the body as far as it was read, or "".
    """

    status: int | None = None
    body_start: str = ""
    sha256: str = ""


NO_EXCERPT = ResponseExcerpt()


def excerpt_response(*, status: int, body: bytes, secret: str = "") -> ResponseExcerpt:
    """Return the excerpt of a response, with `secret` removed from it."""
    return ResponseExcerpt(
        status=status,
        body_start=redact(body, secret=secret),
        sha256=hashlib.sha256(body).hexdigest(),
    )


def redact(body: bytes, *, secret: str = "") -> str:
    """Return the first 200 bytes of a body as one line, without personal data and secrets.

    E-mail addresses, long tokens, the secret, and JSON strings except `error` are replaced.
    """
    text = body[:_REDACTION_WINDOW].decode("utf-8", "replace")
    text = _JSON_TEXT.sub(r'\1"..."', redacted_line(text, secret=secret))
    text = _TOKEN.sub("[token]", _EMAIL.sub("[email]", text))
    return text.encode()[:EXCERPT_BYTES].decode("utf-8", "ignore")


def redacted_line(text: str, *, secret: str = "") -> str:
    """Return the text without control characters and without the secret."""
    text = _CONTROL.sub(" ", text).strip()
    return text.replace(secret, "[key]") if secret else text


class GoodyError(Exception):
    """A call to Goody failed.

    `kind` is a short machine code, a key of KIND_DESCRIPTIONS. `excerpt` is for logs.
    """

    def __init__(self, kind: str, *, excerpt: ResponseExcerpt = NO_EXCERPT) -> None:
        super().__init__(KIND_DESCRIPTIONS[kind])
        self.kind = kind
        self.excerpt = excerpt

    @property
    def status(self) -> int | None:
        """The HTTP status; None without a response."""
        return self.excerpt.status

    @property
    def body_start(self) -> str:
        """At most 200 bytes of the body, redacted."""
        return self.excerpt.body_start

    @property
    def sha256(self) -> str:
        """Hex digest of the body as far as it was read; "" without one."""
        return self.excerpt.sha256

    @property
    def detail(self) -> dict[str, str | int | None]:
        """The error's fields for logging."""
        return {
            "kind": self.kind,
            "status": self.status,
            "body_start": self.body_start,
            "sha256": self.sha256,
        }


class Unavailable(GoodyError):
    """No usable response, and certainly nothing was changed at Goody.

    A read failed, or no byte of a write was sent. Kinds: dns, connect, tls,
    deadline, slots, breaker, closed; for reads also reset and server_error.
    """


class OutcomeUnknown(GoodyError):
    """At least one byte of a write may have been sent, and there is no definite response.

    Only a later read of the order can show the outcome. The write must not be sent again.
    """


class BadResponse(GoodyError):
    """The response to a read is not a documented one.

    Kinds: redirect, status, content_type, bad_body, too_large, bad_json, mismatch.
    """


class Rejected(GoodyError):
    """Goody rejected the request (4xx): nothing was changed.

    For a write these are 400, 401, 403, 404, 409, 422 and 429; after any other 4xx the outcome is
    unknown.

    `message` is the message of Goody's error envelope without control characters, at most 300
    characters, or a generic one. It is vendor text, which must be escaped, and may contain personal
    data, so `str()` does not include it.
    """

    rejection_kind = "refused"

    def __init__(self, *, message: str, excerpt: ResponseExcerpt) -> None:
        super().__init__(self.rejection_kind, excerpt=excerpt)
        self.message = message


class NotFound(Rejected):
    """404: the order does not exist or is not visible to this key."""

    rejection_kind = "not_found"


class Unauthorized(Rejected):
    """401: Goody rejected the API key. No call will succeed until it is replaced."""

    rejection_kind = "unauthorized"


class RateLimited(Rejected):
    """429: too many requests.

    `retry_after` is the Retry-After header in seconds from now: not negative, without an upper
    limit, None if the header is missing or invalid.
    """

    rejection_kind = "rate_limited"

    def __init__(
        self, *, message: str, excerpt: ResponseExcerpt, retry_after: float | None
    ) -> None:
        super().__init__(message=message, excerpt=excerpt)
        self.retry_after = retry_after
