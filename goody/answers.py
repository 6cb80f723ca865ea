"""What an answer of Goody means, and which public error a failure becomes.

Only 200 with JSON is a success: Goody documents no other one for what we call. Nothing is sent or
waited for here.
"""

import http.client
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from goody.errors import (
    MESSAGE_CHARS,
    BadResponse,
    GoodyError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    evidence,
    one_line,
)
from goody.retry import parse_http_date, parse_retry_after
from goody.transport import Answer, Failed
from goody.types.order import Order
from goody.types.plain import read_plainly
from goody.types.reading import BadOrder, order_from
from goody.types.strict import BadJSON, loads_object

_REFUSALS: dict[int, str] = {401: "unauthorized", 404: "not_found", 429: "rate_limited"}
# A read that got an answer, but none that Goody documents.
_BAD_ANSWERS = frozenset(
    {"redirect", "status", "content_type", "bad_body", "too_large", "bad_json", "mismatch"}
)


class Mismatch(ValueError):
    """An order, but not the one that was asked for."""


def parsed[T](answer: Answer, parse: Callable[[bytes], T], *, secret: str) -> T:
    """What `parse` makes of a success. Raises Failed for everything else.

    `secret` is kept out of whatever is quoted from the answer.
    """
    kind = _kind_of_status(answer)
    if kind is None:
        try:
            return parse(answer.body)
        except (BadJSON, BadOrder, Mismatch) as error:
            kind = _kind_of_parse_error(error)
    raise Failed(
        kind,
        may_have_left=True,
        evidence=evidence(status=answer.status, body=answer.body, secret=secret),
        message=_message(answer, secret),
        retry_after=_retry_after(answer),
    )


def parse_single(body: bytes, *, expected_id: UUID | None = None) -> Order:
    """The order a success carries. Raises BadJSON, BadOrder or Mismatch."""
    order = read_plainly(body) or order_from(loads_object(body), raw=body)
    if expected_id is not None and order.id != expected_id:
        raise Mismatch
    return order


def read_error(failed: Failed) -> GoodyError:
    """The public error of a read."""
    if failed.kind in _BAD_ANSWERS:
        return BadResponse(failed.kind, evidence=failed.evidence)
    return _refusal(failed) or Unavailable(failed.kind, evidence=failed.evidence)


def write_error(failed: Failed) -> GoodyError:
    """The public error of a write. Only a 4xx is definite once a byte may have left."""
    if not failed.may_have_left:
        return Unavailable(failed.kind, evidence=failed.evidence)
    return _refusal(failed) or OutcomeUnknown(failed.kind, evidence=failed.evidence)


def _refusal(failed: Failed) -> Rejected | None:
    if failed.kind == "rate_limited":
        return RateLimited(
            message=failed.message, evidence=failed.evidence, retry_after=failed.retry_after
        )
    for refusal in (NotFound, Unauthorized, Rejected):
        if failed.kind == refusal.kind_of_refusal:
            return refusal(message=failed.message, evidence=failed.evidence)
    return None


def _kind_of_status(answer: Answer) -> str | None:
    """None for a success, as far as status and content type tell."""
    status = answer.status
    if status == http.client.OK:
        return None if _is_json(answer.headers.get("Content-Type", "")) else "content_type"
    if 400 <= status < 500:
        return _REFUSALS.get(status, "refused")
    if 300 <= status < 400:
        return "redirect"
    return "server_error" if status >= 500 else "status"


def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    return media_type.strip() == "application/json" and charset in ("", "utf-8", "utf8")


def _kind_of_parse_error(error: ValueError) -> str:
    if isinstance(error, Mismatch):
        return "mismatch"
    # JSON that merely ends too early was cut off on its way, and may come whole the next time.
    return "bad_body" if isinstance(error, BadJSON) and error.is_cut else "bad_json"


def _message(answer: Answer, secret: str) -> str:
    """Goody's own sentence: the string `error` of its error body."""
    try:
        sentence = loads_object(answer.body).get("error")
    except BadJSON:
        sentence = None
    if isinstance(sentence, str) and (line := one_line(sentence, secret=secret)):
        return line[:MESSAGE_CHARS]
    return f"Goody gave no reason (HTTP {answer.status})."


def _retry_after(answer: Answer) -> float | None:
    # By Goody's clock where it tells it: ours may be wrong.
    now = parse_http_date(answer.headers.get("Date")) or datetime.now(UTC)
    return parse_retry_after(answer.headers.get("Retry-After"), now=now)
