"""Whether a failed read is tried again, and after how long.

Pure decisions; the loop is in client.py. Writes are no subject here: they have one attempt.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Worth another attempt: the network, a fault of the server, an answer that arrived broken. Not TLS
# (a certificate does not heal in a second), not an answer that is complete and wrong. And not a
# 429: a wait that is asked of all calls is not for one call to sit out while others go on.
PASSING = frozenset({"dns", "connect", "deadline", "reset", "server_error", "bad_body"})

_SECONDS = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,6})?", re.ASCII)


def wait_before_retry(
    *, attempt: int, base: float, chance: float, retry_after: float | None
) -> float:
    """Seconds to wait after attempt number `attempt` (from 1) failed.

    Full jitter: a `chance` in [0, 1) of a bound that doubles with each attempt, on top of the
    wait that Goody named with a fault of its own (503).
    """
    return (retry_after or 0.0) + chance * base * 2.0 ** (attempt - 1)


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds of a Retry-After header, in either of its two forms.

    Negative and past is 0, garbage None. `now` should be the answer's own Date where it has one,
    since the wait is meant by Goody's clock.
    """
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return max(0.0, float(value))
    moment = parse_http_date(value)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def parse_http_date(value: str | None) -> datetime | None:
    """The instant of an HTTP date in UTC, or None."""
    try:
        moment = parsedate_to_datetime(value or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
