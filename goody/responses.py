"""Interpretation of responses, and the public error of each failure.

Only 200 with JSON is a success: Goody documents no other for the endpoints of the client.
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
    excerpt_response,
    redacted_line,
)
from goody.retry import parse_http_date, parse_retry_after_header
from goody.transport import RequestFailed, Response
from goody.types.fast_parsing import parse_order_fast
from goody.types.order import Order
from goody.types.parsing import BadOrder, parse_decoded_order
from goody.types.strict_json import BadJSON, loads_object

_REJECTIONS: dict[int, str] = {401: "unauthorized", 404: "not_found", 429: "rate_limited"}
# Statuses by which Goody understood and refused a write. All others of 400 to 499 (408, 425, 499,
# what a proxy may send) leave open whether the request was carried out.
_DEFINITE = frozenset({400, 401, 403, 404, 409, 422, 429})
# Kinds of failed reads that got a response, but not a documented one.
_BAD_RESPONSES = frozenset(
    {"redirect", "status", "content_type", "bad_body", "too_large", "bad_json", "mismatch"}
)


class OrderIdMismatch(ValueError):
    """The response contains another order than the requested one."""


def parse_response[T](response: Response, parse: Callable[[bytes], T], *, secret: str) -> T:
    """Parse the body of a success. Raises RequestFailed for everything else.

    `secret` is removed from the text that the error quotes.
    """
    kind = _kind_of_status(response)
    if kind is None:
        try:
            return parse(response.body)
        except (BadJSON, BadOrder, OrderIdMismatch) as error:
            kind = _kind_of_parse_error(error)
    raise RequestFailed(
        kind,
        may_have_left=True,
        excerpt=excerpt_response(status=response.status, body=response.body, secret=secret),
        message=_message(response, secret),
        retry_after=_retry_after(response),
    )


def parse_single_order(body: bytes, *, expected_id: UUID | None = None) -> Order:
    """Parse one order. Raises BadJSON, BadOrder or OrderIdMismatch."""
    order = parse_order_fast(body) or parse_decoded_order(loads_object(body), raw=body)
    if expected_id is not None and order.id != expected_id:
        raise OrderIdMismatch
    return order


def error_for_failed_read(failed: RequestFailed) -> GoodyError:
    """Return the exception of goody.errors for a failed read."""
    if failed.kind in _BAD_RESPONSES:
        return BadResponse(failed.kind, excerpt=failed.excerpt)
    return _rejection(failed) or Unavailable(failed.kind, excerpt=failed.excerpt)


def error_for_failed_write(failed: RequestFailed) -> GoodyError:
    """Return the exception of goody.errors for a failed write.

    Once a byte may have left, only a refusal is definite.
    """
    if not failed.may_have_left:
        return Unavailable(failed.kind, excerpt=failed.excerpt)
    rejection = _rejection(failed)
    if rejection is not None and failed.excerpt.status in _DEFINITE:
        return rejection
    return OutcomeUnknown("status" if rejection else failed.kind, excerpt=failed.excerpt)


def _rejection(failed: RequestFailed) -> Rejected | None:
    if failed.kind == "rate_limited":
        return RateLimited(
            message=failed.message, excerpt=failed.excerpt, retry_after=failed.retry_after
        )
    for error in (NotFound, Unauthorized, Rejected):
        if failed.kind == error.rejection_kind:
            return error(message=failed.message, excerpt=failed.excerpt)
    return None


def _kind_of_status(response: Response) -> str | None:
    """Return the kind of failure that the status or the content type shows; None for a success."""
    status = response.status
    if status == http.client.OK:
        return None if _is_json(response.headers.get("Content-Type", "")) else "content_type"
    if 400 <= status < 500:
        return _REJECTIONS.get(status, "refused")
    if 300 <= status < 400:
        return "redirect"
    return "server_error" if status >= 500 else "status"


def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    return media_type.strip() == "application/json" and charset in ("", "utf-8", "utf8")


def _kind_of_parse_error(error: ValueError) -> str:
    if isinstance(error, OrderIdMismatch):
        return "mismatch"
    # Truncated JSON was cut off in transit, so that another attempt may succeed.
    return "bad_body" if isinstance(error, BadJSON) and error.is_truncated else "bad_json"


def _message(response: Response, secret: str) -> str:
    """Return the message of Goody's error envelope."""
    try:
        message = loads_object(response.body).get("error")
    except BadJSON:
        message = None
    if isinstance(message, str) and (line := redacted_line(message, secret=secret)):
        return line[:MESSAGE_CHARS]
    return f"Goody gave no reason (HTTP {response.status})."


def _retry_after(response: Response) -> float | None:
    # Goody's clock is preferred to ours, which may be wrong.
    now = parse_http_date(response.headers.get("Date")) or datetime.now(UTC)
    return parse_retry_after_header(response.headers.get("Retry-After"), now=now)
