"""Log lines: text for people, or one JSON object a line with LOG_FORMAT=json.

Messages contain input of clients, so control characters are escaped: no request can forge
a line or send codes to a terminal. Times are UTC.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

# C0, DEL, C1, and the marks that reorder or separate lines.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def escape_control_characters(text: str) -> str:
    """The text on one line, with control characters as \\xNN or \\uNNNN."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def request_path(environ: dict[str, Any]) -> str:
    """Return the path of a WSGI environment, percent-encoded, without its query string."""
    return quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/~!$&'()*+,;=:@")


class LineFormatter(logging.Formatter):
    """Formats `time level logger [request id] message`, with the lines of a traceback indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = escape_control_characters(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"    {escape_control_characters(line)}" for line in lines)


class JsonFormatter(LineFormatter):
    """Formats JSON lines: at, level, logger, request_id, message, and a record's `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
