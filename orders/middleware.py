"""The middleware. The texts of error pages are in orders.views.errors and failures.

The setting LOGGING refers to RequestIdFilter, so this module is imported before the apps are
loaded. Objects that need models are therefore imported by their dotted path, when the middleware is
created.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import UpdateError
from django.db import Error as DatabaseFailure
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.module_loading import import_string

from orders.own_pages import own_page_from_header

if TYPE_CHECKING:
    from orders.viewer import Request

type GetResponse = Callable[[HttpRequest], HttpResponse]
type ErrorPage = Callable[..., HttpResponse]

log = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Set by the web server (goodyadmin.server.connections).
TOO_LATE = "goodyadmin.is_too_late"
_request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Add the id of the current request to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


class RequestIdMiddleware:
    """Assign an id to each request, for the logs, error pages, the audit and a response header.

    Responses with a static file have neither header, since a first visit loads a dozen of them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        request.request_id = secrets.token_hex(8)
        # Not reset at the end: Django logs refusals after the last middleware.
        _request_id.set(request.request_id)
        response = self.get_response(request)
        if not request.path_info.startswith(settings.STATIC_URL):
            response["X-Request-Id"] = request.request_id
            # By this the page's script distinguishes our responses from those of a proxy.
            response["X-Goody-Admin"] = "1"
        return response


class ProbeHostMiddleware:
    """Allow load balancers to probe by an IP address, although ALLOWED_HOSTS lacks it.

    The pages of probes contain no URL, so the Host is not used.
    """

    _PROBES = frozenset({"/healthz", "/readyz"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in self._PROBES and settings.ALLOWED_HOSTS:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"
        return self.get_response(request)


class ClientAddressMiddleware:
    """Behind a proxy, put the client's address into REMOTE_ADDR, where logs and limits read it.

    Each proxy appends the address of its client to X-Forwarded-For. Only the entries of our own
    PROXY_COUNT proxies are trusted; the client may have sent the entries before them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.BEHIND_PROXY and (address := _forwarded_address(request)):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


def _forwarded_address(request: HttpRequest) -> str:
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    if len(seen) < settings.PROXY_COUNT:
        return ""
    try:
        return str(ip_address(seen[-settings.PROXY_COUNT].strip()))
    except ValueError:
        return ""


class SecFetchMiddleware:
    """Refuse cross-site changes by the header Sec-Fetch-Site, before the CSRF check.

    Browsers that send no Sec-Fetch-Site (and programs) are left to the CSRF check.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.refuse: ErrorPage = import_string("orders.views.errors.csrf_failure")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        if request.method in SAFE_METHODS or getattr(view, "csrf_exempt", False):
            return None
        site = request.headers.get("Sec-Fetch-Site", "")
        if site in ("cross-site", "same-site"):
            return self.refuse(request, reason=f"Sec-Fetch-Site: {site}")
        return None


class VaryOnHtmxMiddleware:
    """Set Vary, since a URL has a page and fragments, and prevent caching of personal pages.

    `no-store` also makes the browser request the page again on Back, which then shows the present
    state.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        if "Cache-Control" not in response:
            patch_cache_control(response, no_store=True, private=True)
        return response


class ExpectedFailuresMiddleware:
    """Convert expected failures (Goody, the database, a missing right) into their pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.failure_response: Callable[..., HttpResponse | None] = import_string(
            "orders.views.failures.failure_response"
        )
        self.method_not_allowed: ErrorPage = import_string("orders.views.errors.method_not_allowed")
        self.queue_timeout: ErrorPage = import_string("orders.views.errors.queue_timeout")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_bare = isinstance(response, HttpResponseNotAllowed) and not response.content
        return self.method_not_allowed(request, response) if is_bare else response

    def process_view(self, request: Request, view: Any, *_: Any) -> HttpResponse | None:
        """Load the user, and return the page about the failure if the database is down.

        process_exception gets the exceptions of views only, and decorators of a view load the user.
        """
        if request.META.get(TOO_LATE):
            return self.queue_timeout(request)
        if getattr(view, "works_without_database", False):
            # The page about a refusal does not load a user either.
            request.is_frame_bare = True
            return None
        try:
            # For the access log (goodyadmin.access_log).
            request.META["goodyadmin.user_id"] = request.user.pk
        except DatabaseFailure as failure:
            return self.failure_response(request, failure)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return self.failure_response(request, exception)


class IdleSessionMiddleware:
    """End a session after SESSION_IDLE_TIMEOUT without a request by a person.

    Polls, which open pages send by a timer, have the parameter `poll` and do not count. The time of
    the last request is stored at most once a minute.
    """

    _STORED_EVERY = 60

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> None:
        if getattr(view, "works_without_database", False) or not request.user.is_authenticated:
            return
        now = time.time()
        active_at = request.session.get("active_at", now)
        if now - active_at > settings.SESSION_IDLE_TIMEOUT:
            logout(request)
            return
        is_stored = "active_at" in request.session and now - active_at < self._STORED_EVERY
        if not (is_stored or "poll" in request.GET):
            self._store(request, now)

    def _store(self, request: HttpRequest, now: float) -> None:
        """Store the time. Failures are ignored, so that people can read while the disk is full."""
        request.session["active_at"] = now
        try:
            request.session.save()
        except (DatabaseFailure, UpdateError) as failure:
            log.warning("a session could not be stored: %s", type(failure).__name__)
        request.session.modified = False


class HtmxLoginMiddleware:
    """Require a login for every view that is not marked `login_not_required`.

    It replaces Django's LoginRequiredMiddleware, whose redirect fetch follows silently: htmx would
    put the login page into a table cell. Here htmx gets a 401 and a header with the login's URL.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.unsent_mark = import_string("orders.views.account.unsent_form_parameter")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        if not getattr(view, "login_required", True) or request.user.is_authenticated:
            return None
        if request.headers.get("HX-Request") == "true":
            page = own_page_from_header(request, "HX-Current-URL") or reverse("home")
            return HttpResponse(status=401, headers={"HX-Redirect": self._login(request, page)})
        page = request.get_full_path()
        if request.method not in SAFE_METHODS:
            # Not every URL of a form has a page for GET.
            page = own_page_from_header(request, "Referer") or page
        return HttpResponseRedirect(self._login(request, page))

    def _login(self, request: HttpRequest, page: str) -> str:
        """Return the URL of the login, which redirects to `page` afterwards."""
        query = {"next": page}
        if request.method not in SAFE_METHODS:
            query["unsent"] = self.unsent_mark()
        return f"{reverse('login')}?{urlencode(query)}"


class ViewerMiddleware:
    """Set `request.viewer` (orders.viewer.Viewer), which queries its values on first access."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.viewer_of = import_string("orders.viewer.Viewer")

    def __call__(self, request: Request) -> HttpResponse:
        request.viewer = self.viewer_of(request)
        return self.get_response(request)
