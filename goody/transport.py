"""HTTP exchanges with bounded time and size.

Only RequestFailed is raised: the exceptions of requests and urllib3 refer to the request, which
contains the key.
"""

import http.client
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import requests
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import DecodeError, ReadTimeoutError

from goody.connection import (
    BeforeSendHookFailed,
    DeadlineAdapter,
    Exchange,
    ResponseTooLarge,
    current_exchange,
)
from goody.errors import NO_EXCERPT, ResponseExcerpt
from goody.limits import ClientLimits, Clock, Deadline

USER_AGENT = "goody-admin/1"
_CHUNK = 64 * 1024
# Bounds for reading the body of an error response, of which only the message is used.
_ERROR_BODY = 64 * 1024
_ERROR_SECONDS = 1.0


class RequestFailed(Exception):
    """An exchange without a usable response. responses.py turns it into a public error.

    `may_have_left`: at least one byte of the request may have been sent. `is_stale`: a pooled
    connection was closed already, so that a new one should be tried at once.
    """

    def __init__(
        self,
        kind: str,
        *,
        may_have_left: bool,
        is_stale: bool = False,
        excerpt: ResponseExcerpt = NO_EXCERPT,
        message: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.may_have_left = may_have_left
        self.is_stale = is_stale
        self.excerpt = excerpt
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request. `path` begins with /v1 and includes the query string.

    `max_body` limits the decoded bytes of the response's body.
    `before_send` is called when the connection is established, before the first byte; if it raises,
    nothing is sent and the exception propagates unchanged.
    """

    method: str
    path: str
    max_body: int
    body: bytes | None = None
    before_send: Callable[[], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response. Unless the status is 200, the body may be incomplete.

    The repr has only the status: bodies contain personal data, and reprs appear in error reports.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Secret:
    """The API key, which repr() hides from logs and error reports."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"


class Transport:
    """Sends requests: reads over pooled connections, each write over a new one. Thread-safe.

    It uses an adapter of requests without a session, which would add settings of the environment,
    cookies and redirects.
    """

    def __init__(
        self,
        *,
        base_url: str,
        key: Secret,
        limits: ClientLimits,
        ca_bundle: str | None,
        clock: Clock,
    ) -> None:
        self._base_url = base_url
        self._key = key
        self._limits = limits
        self._clock = clock
        self._tls = _tls_context(ca_bundle)
        self._adapter = self._new_adapter()

    def send(self, request: Request, *, deadline: Deadline, is_fresh: bool) -> Response:
        """Send a request and read its response before the deadline. Raises RequestFailed.

        `is_fresh`: use a new connection and close it afterwards.
        """
        exchange = Exchange(
            deadline=deadline,
            connect_deadline=deadline.capped_at(self._limits.connect_timeout),
            header_bytes=self._limits.header_bytes,
            body_bytes=request.max_body,
            before_send=request.before_send,
        )
        adapter = self._new_adapter() if is_fresh else self._adapter
        try:
            result = self._attempt(adapter, self._prepare(request, is_fresh=is_fresh), exchange)
        finally:
            if is_fresh:
                adapter.close()
        # Not raised where it was caught, so that no traceback refers to the request.
        if exchange.before_send_error is not None:
            raise exchange.before_send_error
        if isinstance(result, RequestFailed):
            raise result
        return result

    def close(self) -> None:
        self._adapter.close()

    def _new_adapter(self) -> DeadlineAdapter:
        return DeadlineAdapter(tls=self._tls, connections=self._limits.slots)

    def _prepare(self, request: Request, *, is_fresh: bool) -> requests.PreparedRequest:
        headers = {
            "Authorization": f"Bearer {self._key.reveal()}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Connection": "close" if is_fresh else "keep-alive",
            "User-Agent": USER_AGENT,
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        url = self._base_url + request.path
        return requests.Request(request.method, url, headers, data=request.body).prepare()

    def _attempt(
        self, adapter: DeadlineAdapter, prepared: requests.PreparedRequest, exchange: Exchange
    ) -> Response | RequestFailed:
        token = current_exchange.set(exchange)
        try:
            response = adapter.send(prepared, stream=True)
            try:
                return _read_response(response, exchange)
            finally:
                # Closes the connection unless the response was read completely.
                response.raw.close()
        except Exception as error:  # noqa: BLE001
            # Once a byte may have been sent, not even a bug of a library may look as if nothing
            # had been sent.
            return _failure(error, exchange)
        finally:
            current_exchange.reset(token)


def _tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Verifies hosts and chains; TLS 1.2 or newer. Raises OSError for an invalid bundle."""
    context = ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read_response(response: requests.Response, exchange: Exchange) -> Response:
    if response.status_code == http.client.OK:
        body = _read_body(response.raw, exchange.body_bytes)
    else:
        exchange.deadline = exchange.deadline.capped_at(_ERROR_SECONDS)
        body = _read_error_body(response.raw)
    return Response(status=response.status_code, headers=response.headers, body=bytes(body))


def _read_body(raw: urllib3.BaseHTTPResponse, max_body: int) -> bytearray:
    # A list of chunks could take forty times their size, if they have two bytes each.
    body = bytearray()
    for chunk in _chunks(raw, max_body):
        body += chunk
    return body


def _read_error_body(raw: urllib3.BaseHTTPResponse) -> bytearray:
    """Return the body as far as it can be read; the status is definite without it."""
    body = bytearray()
    with suppress(
        ResponseTooLarge, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError
    ):
        for chunk in _chunks(raw, _ERROR_BODY):
            body += chunk
    return body


def _chunks(raw: urllib3.BaseHTTPResponse, max_body: int) -> Iterator[bytes]:
    """Yield the decoded body in chunks. Raises ResponseTooLarge if over `max_body` bytes."""
    encoding = raw.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise DecodeError("an encoding that was not asked for")
    if (raw.length_remaining or 0) > max_body:
        raise ResponseTooLarge
    total = 0
    for chunk in raw.stream(_CHUNK, decode_content=True):
        total += len(chunk)
        if total > max_body:
            raise ResponseTooLarge
        yield chunk


def _failure(error: Exception, exchange: Exchange) -> RequestFailed:
    if isinstance(error, BeforeSendHookFailed):
        kind = "before_send"  # exchange() raises the exception of before_send
    elif exchange.may_have_left:
        kind = _kind_after_sending(error)
    else:
        kind = _kind_before_sending(error, exchange.stage)
    return RequestFailed(
        kind,
        may_have_left=exchange.may_have_left,
        is_stale=kind == "reset" and exchange.is_reused and not exchange.is_answered,
    )


def _kind_before_sending(error: Exception, stage: str) -> str:
    """Return the kind of a failure at this stage, before any byte of the request was sent.

    `stage` is that of Exchange. An error that the network did not cause is raised again.
    """
    causes = list(_iterate_causes(error))
    if not any(isinstance(cause, OSError) for cause in causes):
        raise error
    if stage == "tls":
        return "tls" if any(_is_tls_failure(cause) for cause in causes) else "connect"
    return "deadline" if stage == "ready" else stage


def _kind_after_sending(error: Exception) -> str:
    causes = list(_iterate_causes(error))
    for kind, test in _KINDS:
        if any(test(cause) for cause in causes):
            return kind
    return "bad_body"


def _is_too_large(cause: BaseException) -> bool:
    # http.client raises its base class for more than 100 headers.
    return isinstance(cause, ResponseTooLarge | http.client.LineTooLong) or (
        type(cause) is http.client.HTTPException
    )


def _is_timeout(cause: BaseException) -> bool:
    return isinstance(cause, TimeoutError | ReadTimeoutError)


def _is_tls_failure(cause: BaseException) -> bool:
    """Whether the handshake or a record is invalid, as opposed to truncated."""
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)


def _is_reset(cause: BaseException) -> bool:
    broken = (ConnectionError, ssl.SSLEOFError, http.client.IncompleteRead)
    ended_early = type(cause) is urllib3.exceptions.ProtocolError and len(cause.args) == 1
    return isinstance(cause, broken) or ended_early


_KINDS = (
    ("too_large", _is_too_large),
    ("deadline", _is_timeout),
    ("tls", _is_tls_failure),
    ("reset", _is_reset),
)


def _iterate_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and all that it wraps in args, reason, __cause__ or __context__."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            waiting += [*cause.args, getattr(cause, "reason", None)]
            waiting += [cause.__cause__, cause.__context__]
            yield cause
