"""waitress's connections with deadlines, and requests that can be refused."""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import Resolver404, resolve
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer, UnixWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import Error

from goodyadmin.access_log import write_access_line
from goodyadmin.logs import request_path

log = logging.getLogger(__name__)

# In the WSGI environment: the request waited too long for its concurrency group, and the view
# must answer so without doing anything.
TOO_LATE = "goodyadmin.is_too_late"
# Retry-After of refused requests, seconds.
_RETRY_AFTER = "2"


# While the process stops, a new connection has this many seconds to send its first request.
_FIRST_REQUEST_WITHIN = 1.0


class BusyError(Error):  # type: ignore[misc]
    """A plain 503 response with Retry-After."""

    code = 503
    reason = "Service Unavailable"

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        status, headers, _ = super().to_response(ident)
        body = b"The dashboard is busy. Nothing was done. Try again in a few seconds.\n"
        return (
            status,
            [*headers, ("Retry-After", _RETRY_AFTER), ("Cache-Control", "no-store")],
            body,
        )


class DjangoTask(WSGITask):  # type: ignore[misc]
    """One request of a connection, run by Django."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[TOO_LATE], self.channel.is_too_late = self.channel.is_too_late, False
        return environ


class RefusalTask(ErrorTask):  # type: ignore[misc]
    """A response of the server itself to a request that does not reach Django."""

    def finish(self) -> None:
        super().finish()
        environ = {
            "REMOTE_ADDR": self.channel.addr[0],
            "REQUEST_METHOD": getattr(self.request, "command", "-"),
            "PATH_INFO": getattr(self.request, "path", ""),
        }
        write_access_line(
            environ,
            path=request_path(environ),
            status=self.status,
            sent=self.content_length,
            began=self.channel.began_at,
        )


class DeadlineConnection(HTTPChannel):  # type: ignore[misc]
    """A client's connection with deadlines."""

    task_class = DjangoTask
    error_task_class = RefusalTask
    is_too_late = False
    # When the first byte came of the last request, on the monotonic clock.
    began_at = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.began_at = time.monotonic()
        return bool(super().received(data))

    def refuse(self, group: str) -> None:
        """Refuse the request: with a page of Django if it has a group, else with a plain 503."""
        if group:
            self.is_too_late = True
            self.server.task_dispatcher.add_request(self, "")
            return
        self.is_too_late = False
        self.requests[0].error = BusyError("")
        self.service()

    def close_if_overdue(self) -> None:
        """Close a connection whose request is not complete in time."""
        if self.request is not None and time.monotonic() - self.began_at > settings.READ_TIMEOUT:
            log.info("A request was not complete after %g s.", settings.READ_TIMEOUT)
            self.handle_close()

    def handle_close(self) -> None:
        if self.has_timed_out():
            self._log_stall()
        super().handle_close()

    def has_timed_out(self) -> bool:
        # waitress also closes connections that are closed already.
        if self.socket is None or self.socket.fileno() < 0:
            return False
        error: int = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return error == errno.ETIMEDOUT

    def send(self, data: bytes, do_close: bool = True) -> int:
        try:
            return int(super().send(data, do_close))
        except TimeoutError:
            self._log_stall()
            self.will_close = True
            return 0

    def _log_stall(self) -> None:
        log.warning("A client took nothing for %g s; cut off.", settings.STALL_TIMEOUT)


def concurrency_group_of(connection: HTTPChannel) -> str:
    """Return the concurrency group of the request, chosen by its view; "" if it has none."""
    request = connection.requests[0]
    if request.error:
        return ""
    try:
        view = resolve(request.path).func
    except Resolver404:
        return ""
    choose: Callable[[str, str, str], str] | None = getattr(view, "concurrency_group", None)
    if choose is None:
        return ""
    method = request.command.upper()
    query, cookies = request.query or "", request.headers.get("COOKIE", "")
    return choose("GET" if method == "HEAD" else method, query, cookies)


class _DeadlineListener:
    """Mixin for listening sockets whose connections have deadlines."""

    channel_class = DeadlineConnection

    def add_task(self: Any, connection: DeadlineConnection) -> None:
        self.task_dispatcher.add_request(connection, concurrency_group_of(connection))

    def maintenance(self: Any, now: float) -> None:
        super().maintenance(now)  # type: ignore[misc]
        for connection in list(self.active_channels.values()):
            connection.close_if_overdue()

    def stop_accepting(self: Any) -> None:
        """Close the listening socket; open connections remain until `close_idle`."""
        wasyncore.dispatcher.close(self)

    def close_idle(self: Any) -> bool:
        """Close the connections without a request in progress; return whether none is left."""
        newest = time.time() - _FIRST_REQUEST_WITHIN
        for connection in list(self.active_channels.values()):
            is_busy = connection.requests or connection.total_outbufs_len
            if not is_busy and connection.creation_time < newest:
                connection.handle_close()
        return not self.active_channels


class TcpListener(_DeadlineListener, TcpWSGIServer):  # type: ignore[misc]
    """A listening TCP socket."""

    def set_socket_options(self, conn: socket.socket) -> None:
        """Let the kernel end a connection whose client accepts no data of a response.

        A client that is slow but continues to read is not affected.
        """
        super().set_socket_options(conn)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = int(settings.STALL_TIMEOUT * 1000)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


class UnixListener(_DeadlineListener, UnixWSGIServer):  # type: ignore[misc]
    """A listening Unix socket."""
