"""Logs one line per answered request: person, address, path, status and duration.

A path is logged without its query string, which may contain a name or an address.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .logs import request_path

log = logging.getLogger("access")

type Environ = dict[str, Any]
type Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# Put into the WSGI environment by orders.middleware.
USER_ID = "goodyadmin.user_id"


def write_access_line(environ: Environ, *, path: str, status: str, sent: int, began: float) -> None:
    """Write the line of a request.

    `status` is as in a status line, `sent` the bytes of the body, `began` the start on the
    monotonic clock.
    """
    fields = {
        "client": environ.get("REMOTE_ADDR", "-"),
        "user_id": environ.get(USER_ID),
        "method": environ.get("REQUEST_METHOD", "-"),
        "path": path,
        "status": int(status.partition(" ")[0] or 0),
        "bytes": sent,
        "milliseconds": round((time.monotonic() - began) * 1000),
    }
    log.info(
        '%(client)s %(user_id)s "%(method)s %(path)s" %(status)s %(bytes)s %(milliseconds)sms',
        fields,
        extra={"fields": fields},
    )


class AccessLog:
    """WSGI middleware around the whole application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = _Answer(environ)

        def start(status: str, headers: Any, *more: Any) -> Any:
            answer.status = status
            return start_response(status, headers, *more)

        answer.body = self._application(environ, start)
        return answer


class _Answer:
    """The body of a response. Its log line is written when the server closes it."""

    def __init__(self, environ: Environ) -> None:
        self.status = ""
        self.body: Iterable[bytes] = ()
        self._environ, self._began, self._sent = environ, time.monotonic(), 0
        # Now, since Django decodes it in place.
        self._path = request_path(environ)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.body:
            self._sent += len(chunk)
            yield chunk

    def close(self) -> None:
        try:
            if close := getattr(self.body, "close", None):
                close()
        finally:
            write_access_line(
                self._environ,
                path=self._path,
                status=self.status,
                sent=self._sent,
                began=self._began,
            )
