"""The rules for retries of reads: which failures, after which delay. Writes are never retried.

These are pure functions; the loop is in client.py.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Failures of the network, errors of the server and damaged responses. Not TLS, since a certificate
# stays invalid; not a complete response of the wrong form; and not 429, since that wait is for all
# calls of all processes.
RETRYABLE = frozenset({"dns", "connect", "deadline", "reset", "server_error", "bad_body"})

_SECONDS = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,6})?", re.ASCII)


def seconds_before_retry(
    *, attempt: int, base: float, jitter: float, retry_after: float | None
) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 1) failed.

    This is exponential backoff with full jitter: `jitter` (0 to 1) times a bound that doubles with
    each attempt, plus the Retry-After of a 503.
    """
    return (retry_after or 0.0) + jitter * base * 2.0 ** (attempt - 1)


def parse_retry_after_header(value: str | None, *, now: datetime) -> float | None:
    """Return seconds of a Retry-After header: a number or an HTTP date.

    A negative number or past date is 0, an invalid value None. `now` should be the response's Date
    header if it has one, since the date is by Goody's clock.
    """
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return max(0.0, float(value))
    moment = parse_http_date(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def parse_http_date(value: str | None) -> datetime | None:
    """Return an HTTP date as a datetime in UTC; None if it is invalid."""
    try:
        moment = parsedate_to_datetime(value or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
