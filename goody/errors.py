"""What a call to Goody can end in, when not in an answer.

    GoodyError
    ├── Unavailable       no usable answer, and certainly nothing was changed
    ├── OutcomeUnknown    a write may have reached Goody and nobody knows what became of it
    ├── Rejected          Goody said no (4xx)
    │   ├── NotFound          404
    │   ├── Unauthorized      401
    │   └── RateLimited       429
    └── BadResponse       a read was answered with something Goody does not document

Only the errors live here; which failure becomes which of them is decided in answers.py. `str()` of
every error is a plain clause that may be shown and logged: no key, no personal data.
"""

import hashlib
import re
from dataclasses import dataclass

HEAD_BYTES = 200
MESSAGE_CHARS = 300
# Redaction looks at a little more than it keeps, so that no e-mail address or token is cut in two
# and slips through.
_REDACTION_WINDOW = 4000

_EMAIL = re.compile(r"[^\s@<>\"'()]+@[^\s@<>\"'()]*")
# Values of JSON members are people's names more often than not; only Goody's "error" is kept.
_JSON_TEXT = re.compile(r'(?<!"error")(:\s*)"(?:[^"\\]|\\.)*"?')
# A long word with a digit or a capital in it; without either it is a field's name.
_TOKEN = re.compile(r"(?=[a-z_\-]*[A-Z0-9])[A-Za-z0-9_\-]{16,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

PHRASES = {
    "dns": "the name of Goody's server could not be resolved",
    "connect": "no connection to Goody could be made",
    "tls": "a secure connection to Goody could not be made",
    "deadline": "Goody did not answer in time",
    "slots": "too many calls to Goody were under way",
    "breaker": "Goody failed repeatedly and is left alone for a moment",
    "closed": "the client was closed",
    "reset": "the connection to Goody broke",
    "server_error": "Goody reported a fault of its own",
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
class Evidence:
    """What may be logged of the answer behind an error.

    `head` holds at most 200 bytes of the body (UTF-8), redacted (see `redact`). `sha256` is the
    hex digest of the whole body as far as it was read, or "".
    """

    status: int | None = None
    head: str = ""
    sha256: str = ""


NOTHING = Evidence()


def evidence(*, status: int, body: bytes, secret: str = "") -> Evidence:
    """Boil an answer down to what is safe to keep. `secret` is removed wherever it stands."""
    return Evidence(
        status=status, head=redact(body, secret=secret), sha256=hashlib.sha256(body).hexdigest()
    )


def redact(body: bytes, *, secret: str = "") -> str:
    """The first 200 bytes of a body as one line, without what may be personal or secret.

    Out go e-mail addresses, long tokens, the secret, and the texts in JSON but for `error`.
    """
    text = body[:_REDACTION_WINDOW].decode("utf-8", "replace")
    text = _JSON_TEXT.sub(r'\1"..."', one_line(text, secret=secret))
    text = _TOKEN.sub("[token]", _EMAIL.sub("[email]", text))
    return text.encode()[:HEAD_BYTES].decode("utf-8", "ignore")


def one_line(text: str, *, secret: str = "") -> str:
    """The text without control characters and without the secret."""
    text = _CONTROL.sub(" ", text).strip()
    return text.replace(secret, "[key]") if secret else text


class GoodyError(Exception):
    """A call to Goody did not end in a usable answer.

    `kind` is a short machine code, a key of PHRASES. `evidence` is for logs.
    """

    def __init__(self, kind: str, *, evidence: Evidence = NOTHING) -> None:
        super().__init__(PHRASES[kind])
        self.kind = kind
        self.evidence = evidence

    @property
    def status(self) -> int | None:
        """The HTTP status, when there was one."""
        return self.evidence.status

    @property
    def head(self) -> str:
        """At most 200 bytes of the body, redacted."""
        return self.evidence.head

    @property
    def sha256(self) -> str:
        """Hex digest of the body as far as it was read; "" when there was none."""
        return self.evidence.sha256

    @property
    def detail(self) -> dict[str, str | int | None]:
        """Everything about the error that belongs in a log line."""
        return {
            "kind": self.kind,
            "status": self.status,
            "head": self.head,
            "sha256": self.sha256,
        }


class Unavailable(GoodyError):
    """No usable answer, and certainly nothing was changed at Goody.

    A read that failed, or a write of which no byte left this machine. Kinds: dns, connect, tls,
    deadline, slots, breaker, closed; for reads also reset and server_error.
    """


class OutcomeUnknown(GoodyError):
    """A write of which at least one byte may have left, without a definite answer.

    Only a later read of the order can tell what became of it. It must not be sent again.
    """


class BadResponse(GoodyError):
    """A read was answered with something Goody does not document.

    Kinds: redirect, status, content_type, bad_body, too_large, bad_json, mismatch.
    """


class Rejected(GoodyError):
    """Goody's definite refusal (4xx): nothing was changed.

    `message` is Goody's own sentence (the "error" member of its error body) without control
    characters, at most 300 characters, or a generic one. It is the vendor's text: escape it. It
    may name a person, so it is not part of `str()`.
    """

    kind_of_refusal = "refused"

    def __init__(self, *, message: str, evidence: Evidence) -> None:
        super().__init__(self.kind_of_refusal, evidence=evidence)
        self.message = message


class NotFound(Rejected):
    """404: Goody does not know this order, or does not show it to this key."""

    kind_of_refusal = "not_found"


class Unauthorized(Rejected):
    """401: Goody rejected the API key. Nothing will work until the key changes."""

    kind_of_refusal = "unauthorized"


class RateLimited(Rejected):
    """429: Goody asks for fewer calls.

    `retry_after` is Goody's Retry-After in seconds from now: never negative, not clamped, None
    when the header was missing or could not be understood.
    """

    kind_of_refusal = "rate_limited"

    def __init__(self, *, message: str, evidence: Evidence, retry_after: float | None) -> None:
        super().__init__(message=message, evidence=evidence)
        self.retry_after = retry_after
