"""One bounded HTTP exchange with Goody: a request out, a whole answer back, or `Failed`.

Retries, slots and what an answer means are client.py's. Nothing here raises an exception of
requests or urllib3: those carry the request, and with it the key.
"""

import http.client
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import DecodeError, ReadTimeoutError

from goody.connection import Adapter, BeforeSendFailed, Exchange, TooLarge, current_exchange
from goody.errors import NOTHING, Evidence
from goody.limits import Clock, Deadline, Limits

USER_AGENT = "goody-admin/1"
_PIECE = 64 * 1024
# What is read of an answer that is no success: enough for a sentence, not worth waiting for.
_ERROR_BODY = 64 * 1024
_ERROR_SECONDS = 1.0


class Failed(Exception):
    """An exchange without a usable answer. For client.py, which makes the public error of it.

    `may_have_left`: at least one byte of the request may have reached Goody. `is_stale`: a pooled
    connection was dead already, so that a new one is worth a try at once.
    """

    def __init__(
        self,
        kind: str,
        *,
        may_have_left: bool,
        is_stale: bool = False,
        evidence: Evidence = NOTHING,
        message: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.may_have_left = may_have_left
        self.is_stale = is_stale
        self.evidence = evidence
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Request:
    """`path` begins with /v1 and carries the query. `max_body` bounds the answer, unpacked.

    `before_send` is called once an exchange, when the connection stands and before the first byte;
    what it raises comes out unchanged, and then nothing was sent.
    """

    method: str
    path: str
    max_body: int
    body: bytes | None = None
    before_send: Callable[[], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status and the body, whole if the status is 200, otherwise as far as it was read.

    Its repr is the status alone: bodies are full of personal data and reprs land in error reports.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Secret:
    """The API key, hidden from repr and thereby from most logs and error reports."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"


class _Session(requests.Session):
    """A session that takes nothing from the environment and goes nowhere but where it is sent."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        # Even with allow_redirects=False requests would read a redirect's whole body unbounded.
        return None


class Transport:
    """Holds the pooled session for reads. Thread-safe."""

    def __init__(
        self, *, base_url: str, key: Secret, limits: Limits, ca_bundle: str | None, clock: Clock
    ) -> None:
        self._base_url = base_url
        self._key = key
        self._limits = limits
        self._clock = clock
        self._tls = _tls_context(ca_bundle)
        self._session = self._new_session()

    def exchange(self, request: Request, *, deadline: Deadline, is_fresh: bool) -> Answer:
        """Send a request and read its answer before the deadline.

        With `is_fresh` on a connection of its own. Raises Failed.
        """
        exchange = Exchange(
            deadline=deadline,
            connect_deadline=deadline.within(self._limits.connect_timeout),
            header_bytes=self._limits.header_bytes,
            body_bytes=request.max_body,
            before_send=request.before_send,
        )
        session = self._new_session() if is_fresh else self._session
        try:
            result = self._attempt(session, self._prepare(request, is_fresh=is_fresh), exchange)
        finally:
            if is_fresh:
                session.close()
        # Raised here and not where it was caught, so that no traceback leads to the request.
        if exchange.before_send_error is not None:
            raise exchange.before_send_error
        if isinstance(result, Failed):
            raise result
        return result

    def close(self) -> None:
        self._session.close()

    def _new_session(self) -> _Session:
        return _Session(Adapter(tls=self._tls, connections=self._limits.slots))

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
        self, session: _Session, prepared: requests.PreparedRequest, exchange: Exchange
    ) -> Answer | Failed:
        token = current_exchange.set(exchange)
        try:
            response = session.send(
                prepared, stream=True, timeout=None, allow_redirects=False, proxies={}
            )
            try:
                return _read_answer(response, exchange)
            finally:
                # Closes what was not read to its end; a connection that was is back in the pool.
                response.raw.close()
        except Exception as error:  # noqa: BLE001
            # Everything, since once a byte may have left even a bug of a library must not look
            # as if nothing had been sent.
            return _failure(error, exchange)
        finally:
            current_exchange.reset(token)


def _tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Verifies names and chains, TLS 1.2 or newer. Raises OSError for an unusable bundle."""
    context = ssl.create_default_context(cafile=ca_bundle or DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read_answer(response: requests.Response, exchange: Exchange) -> Answer:
    if response.status_code == http.client.OK:
        body = _read_body(response.raw, exchange.body_bytes)
    else:
        exchange.deadline = exchange.deadline.within(_ERROR_SECONDS)
        body = _as_far_as_possible(response.raw)
    return Answer(status=response.status_code, headers=response.headers, body=bytes(body))


def _read_body(raw: urllib3.BaseHTTPResponse, max_body: int) -> bytearray:
    # Not a list of pieces: a million chunks of two bytes would be forty times their size.
    body = bytearray()
    for piece in _pieces(raw, max_body):
        body += piece
    return body


def _as_far_as_possible(raw: urllib3.BaseHTTPResponse) -> bytearray:
    """The status is definite by now; a broken body cannot change it."""
    body = bytearray()
    with suppress(TooLarge, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
        for piece in _pieces(raw, _ERROR_BODY):
            body += piece
    return body


def _pieces(raw: urllib3.BaseHTTPResponse, max_body: int) -> Iterator[bytes]:
    """The body, unpacked, piece by piece. Raises TooLarge when there is more than `max_body`."""
    encoding = raw.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise DecodeError("an encoding that was not asked for")
    if (raw.length_remaining or 0) > max_body:
        raise TooLarge
    total = 0
    for piece in raw.stream(_PIECE, decode_content=True):
        total += len(piece)
        if total > max_body:
            raise TooLarge
        yield piece


def _failure(error: Exception, exchange: Exchange) -> Failed:
    if isinstance(error, BeforeSendFailed):
        kind = "before_send"  # never seen: the caller's own exception goes out instead
    elif exchange.may_have_left:
        kind = _kind_after_sending(error)
    else:
        kind = _kind_before_sending(error, exchange.stage)
    return Failed(
        kind,
        may_have_left=exchange.may_have_left,
        is_stale=kind == "reset" and exchange.is_reused and not exchange.is_answered,
    )


def _kind_before_sending(error: Exception, stage: str) -> str:
    """By how far the connection had come. Whatever is no network error is a bug and goes on."""
    causes = list(_causes(error))
    if not any(isinstance(cause, OSError) for cause in causes):
        raise error
    if stage == "tls":
        return "tls" if any(_is_tls_failure(cause) for cause in causes) else "connect"
    return "deadline" if stage == "ready" else stage


def _kind_after_sending(error: Exception) -> str:
    causes = list(_causes(error))
    for kind, test in _TESTS:
        if any(test(cause) for cause in causes):
            return kind
    return "bad_body"


def _is_too_large(cause: BaseException) -> bool:
    # http.client refuses more than 100 headers with its bare base class.
    return isinstance(cause, TooLarge | http.client.LineTooLong) or (
        type(cause) is http.client.HTTPException
    )


def _is_timeout(cause: BaseException) -> bool:
    return isinstance(cause, TimeoutError | ReadTimeoutError)


def _is_tls_failure(cause: BaseException) -> bool:
    """A handshake or record that was wrong, as opposed to one that was merely cut off."""
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)


def _is_reset(cause: BaseException) -> bool:
    broken = (ConnectionError, ssl.SSLEOFError, http.client.IncompleteRead)
    ended_early = type(cause) is urllib3.exceptions.ProtocolError and len(cause.args) == 1
    return isinstance(cause, broken) or ended_early


_TESTS = (
    ("too_large", _is_too_large),
    ("deadline", _is_timeout),
    ("tls", _is_tls_failure),
    ("reset", _is_reset),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps, in whichever way requests and urllib3 wrap."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            waiting += [*cause.args, getattr(cause, "reason", None)]
            waiting += [cause.__cause__, cause.__context__]
            yield cause
