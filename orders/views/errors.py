"""Error pages: how they are rendered, and the handlers for refused requests and for bugs.

The pages of expected failures (Goody, the database, a missing right) are in failures.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import shortcuts
from django.db import Error as DatabaseFailure
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from orders.audit import record_security_event
from orders.presenters.elements import Banner
from orders.viewer import Request

from .http import htmx_target_id, suppress_response_log

log = logging.getLogger(__name__)


RETRY_SOON = 5


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error page. `retry_after` is in seconds, 0 for no Retry-After header."""

    status: int
    title: str
    sentence: str
    next_step: str = ""
    link_url: str = ""
    link_label: str = ""
    retry_after: int = 0
    tone: str = "bad"


def render_error_page(request: Request, problem: ErrorPage) -> HttpResponse:
    """Return the whole page; for htmx a banner, in the open dialog or at the top of the page."""
    banner = Banner(
        tone=problem.tone,
        title=problem.title,
        sentence=problem.sentence,
        next_step=problem.next_step,
        reference=getattr(request, "request_id", ""),
        link_url=problem.link_url,
        link_label=problem.link_label,
    )
    template, headers = _template_and_headers(request)
    if problem.retry_after:
        headers["Retry-After"] = str(problem.retry_after)
    may_retry = request.method == "GET" and problem.status >= 500
    context = {"problem": banner, "banner": banner, "may_retry": may_retry}
    response = shortcuts.render(request, template, context, status=problem.status)
    for name, value in headers.items():
        response[name] = value
    return response


def _template_and_headers(request: Request) -> tuple[str, dict[str, str]]:
    """Return the template and headers. The banner does not replace the requested part."""
    target = htmx_target_id(request)
    if not target:
        return "problem.html", {}
    if target == "dialog-body" and request.method == "GET":
        return "problem.html#dialog", {}
    # A submitted dialog keeps its form with the input.
    place = "#dialog-problem" if target == "dialog-body" else "#problem"
    return "problem.html#banner", {
        "HX-Retarget": place,
        "HX-Reswap": "innerHTML",
        "HX-Push-Url": "false",
    }


def queue_timeout(request: Request) -> HttpResponse:
    """Refuse a request that waited too long for a thread; called by the web server."""
    request.is_frame_bare = True
    log.warning("a request waited too long for a thread")
    response = render_error_page(
        request,
        ErrorPage(
            503,
            "Too many requests at once",
            "Others wait for Goody or the dashboard already. Nothing was sent or changed.",
            "Try again in a moment.",
            retry_after=RETRY_SOON,
            tone="warn",
        ),
    )
    return suppress_response_log(response)


def csrf_failure(request: Request, reason: str = "") -> HttpResponse:
    """Refuse a request for CSRF_FAILURE_VIEW and SecFetchMiddleware, and record a security event.

    The request changed nothing. A submitted login page with an old token is redirected to a new
    one.
    """
    try:
        # Apart, so that a flood from outside hides nothing that happens to somebody signed in.
        kind = "csrf" if request.user.is_authenticated else "csrf_anonymous"
        record_security_event(
            kind, detail=f"{request.path}: {reason}", request_id=request.request_id
        )
    except DatabaseFailure:
        log.warning("security event csrf could not be recorded: %s", reason)
    if request.path == reverse("login") and reason.startswith("CSRF "):
        # The page was opened before another login, so that only a new one helps.
        query = urlencode({"next": request.POST.get("next", ""), "again": "true"})
        return HttpResponseRedirect(f"{reverse('login')}?{query}")
    return render_error_page(
        request,
        ErrorPage(
            403,
            "This form could not be trusted",
            "Nothing was sent or changed. The page may be from before you logged in, cookies may "
            "be blocked, or another site sent the form.",
            "Reload the page and try again.",
            tone="warn",
        ),
    )


def bad_request(request: Request, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler400."""
    return render_error_page(
        request,
        ErrorPage(
            400,
            "This request could not be understood",
            "Nothing was done.",
            "Go back and try again.",
            tone="warn",
        ),
    )


def permission_denied(request: Request, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler403: a right of Django's admin is missing."""
    return render_error_page(
        request,
        ErrorPage(403, "You may not do this", "An admin grants rights by roles.", tone="warn"),
    )


def not_found(request: Request, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler404."""
    return render_error_page(
        request,
        ErrorPage(
            404,
            "There is no such page",
            "The address may be mistyped or out of date.",
            "",
            reverse("order_list"),
            "All orders",
            tone="warn",
        ),
    )


def method_not_allowed(request: Request, response: HttpResponse) -> HttpResponse:
    """Return a page instead of Django's empty 405, for example for the reloaded URL of a form."""
    page = render_error_page(
        request,
        ErrorPage(
            405,
            "This address shows no page",
            "It only takes what a form of this dashboard sends. Nothing was done.",
            "",
            reverse("order_list"),
            "All orders",
            tone="warn",
        ),
    )
    page["Allow"] = response["Allow"]
    # Django logged it when the view refused.
    return suppress_response_log(page)


def server_error(request: Request, *args: Any) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler500. Its frame does not read the database, which may be down."""
    request.is_frame_bare = True
    return render_error_page(
        request,
        ErrorPage(
            500,
            "Something went wrong here",
            "This is a fault of the dashboard, and it has been logged.",
            "If you tell an admin, give the reference below. If you were changing an order, look "
            "at the order before you try again.",
        ),
    )
