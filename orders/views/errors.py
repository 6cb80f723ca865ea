"""Error pages: the message and the HTTP status of every expected failure.

Any other exception is a bug: Django logs it and shows the 500 page with the request id. Refusals of
a write appear in the dialog that sent it, see operations.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import shortcuts
from django.db import Error as DatabaseFailure
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from goody.errors import BadResponse, GoodyError, RateLimited, Rejected, Unauthorized
from orders import formats
from orders.audit import NotAllowed, Right, record_security_event
from orders.goody_api import CallsBlocked, CallsPaused, KeyRejected, NotConfigured, rate_limit_wait
from orders.outages import is_outage
from orders.presenters.elements import Banner
from orders.search import SearchTimeout
from orders.services import FindingNotFound, OrderNotFound
from orders.viewer import Request

from .http import htmx_target_id, mark_as_logged

log = logging.getLogger(__name__)

_RETRY_SOON = 5
_RETRY_LATER = 30
# PostgreSQL's codes of a lock or statement that timed out, or a serialization failure.
_BUSY_CODES = {"55P03", "57014", "40001", "40P01"}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error page. `retry_after` is in seconds, 0 for no Retry-After header."""

    status: int
    title: str
    sentence: str
    next_step: str = ""
    link_url: str = ""
    link_label: str = ""
    retry_after: int = 0
    tone: str = "bad"


def page_for(request: Request, exception: Exception) -> HttpResponse | None:
    """Return the page of an expected failure; None for a bug, which Django logs and answers."""
    problem = _problem_of(request, exception)
    if problem is None:
        return None
    if isinstance(exception, DatabaseFailure):
        request.is_frame_bare = True
    if problem.status >= 500:
        detail = exception.detail if isinstance(exception, GoodyError) else exception
        log.warning("%s: %s", type(exception).__name__, detail)
    return mark_as_logged(show(request, problem))


def _problem_of(request: Request, exception: Exception) -> Problem | None:
    if isinstance(exception, NotAllowed):
        return _not_allowed(request, exception)
    if isinstance(exception, OrderNotFound):
        return _order_not_found()
    if isinstance(exception, FindingNotFound):
        return _no_such_finding()
    if isinstance(exception, KeyRejected | Unauthorized):
        return _key_rejected(request)
    if isinstance(exception, CallsBlocked | RateLimited):
        return _calls_blocked(request, exception)
    if isinstance(exception, GoodyError):
        return _goody_failed(exception)
    if isinstance(exception, SearchTimeout):
        return _search_timed_out()
    if is_outage(exception):
        return _database_failed(request, exception)
    return None


def _not_allowed(request: Request, refusal: NotAllowed) -> Problem:
    if request.viewer.actor.role is None:
        return Problem(
            403,
            "Your account has no role yet",
            "Without a role you may not see orders. An admin can make you a viewer, an agent or "
            "a lead.",
            tone="warn",
        )
    return Problem(403, "You may not do this", str(refusal), tone="warn")


def _order_not_found() -> Problem:
    return Problem(
        404,
        "Goody does not know this order",
        "Is this the right environment, and was the address copied whole?",
        link_url=reverse("order_list"),
        link_label="All orders",
        tone="warn",
    )


def _no_such_finding() -> Problem:
    return Problem(
        404,
        "This list is not here any more",
        "What was found in a pasted text is kept for 7 days, and only for whoever pasted it.",
        "Paste the text again.",
        reverse("order_find"),
        "Find orders in a text",
        tone="warn",
    )


def _key_rejected(request: Request) -> Problem:
    if request.viewer.actor.may(Right.SYSTEM):
        return Problem(
            503,
            "API key rejected",
            "Goody does not accept GOODY_API_KEY. Nothing more is asked of Goody with this key.",
            "Put a valid key into the environment and restart the dashboard, or check it again.",
            reverse("system"),
            "Check the key",
        )
    return Problem(
        503,
        "Connection problem",
        "This dashboard has no working connection to Goody at present.",
        "An admin can mend it. Your work is not lost: nothing was sent.",
        reverse("setup"),
        "Whom to ask",
    )


def _calls_blocked(request: Request, failure: Exception) -> Problem:
    if isinstance(failure, NotConfigured):
        return _not_configured(request, failure)
    now, zone = request.viewer.now, request.viewer.zone
    if isinstance(failure, CallsPaused):
        until = failure.until
    elif isinstance(failure, RateLimited):
        until = now + rate_limit_wait(failure)
    else:
        until = now + timedelta(seconds=_RETRY_SOON)
    at = f"{formats.time_of_day(until, zone)} {formats.zone_name(until, zone)}"
    return Problem(
        503,
        f"Goody asks us to wait until {at}",
        "Goody limits how much may be asked at a time.",
        "Try again then.",
        retry_after=max(1, round((until - now).total_seconds())),
        tone="warn",
    )


def _not_configured(request: Request, failure: NotConfigured) -> Problem:
    """Return the page for a setting that is missing or invalid."""
    title, _, reason = str(failure).partition(": ")
    return Problem(
        503,
        title,
        f"{reason}." if reason else "The dashboard does not know which Goody to ask.",
        "Put it right in the environment or in the file .env (see .env.example and the README), "
        "then restart the dashboard.",
        reverse("setup"),
        "Setup" if request.viewer.actor.may(Right.SYSTEM) else "Whom to ask",
        tone="warn",
    )


def _search_timed_out() -> Problem:
    return Problem(
        503,
        "Too broad: add a date or a status",
        "This search goes through too many orders to be answered at once.",
        link_url=reverse("order_list"),
        link_label="All orders",
        tone="warn",
    )


_TRY_AGAIN = "Nothing was sent or changed. Try again in a moment."
_GOODY_TITLES = {
    "tls": "Secure connection to Goody failed",
    "redirect": "Unexpected redirect from Goody",
    "too_large": "Goody's answer was too large",
}


def _goody_failed(failure: GoodyError) -> Problem:
    reason = f"{str(failure)[:1].upper()}{str(failure)[1:]}."
    title = _GOODY_TITLES.get(failure.kind)
    if isinstance(failure, Rejected):
        return _goody_refused(failure)
    if isinstance(failure, BadResponse):
        return Problem(502, title or "Unexpected answer from Goody", reason, _TRY_AGAIN)
    return Problem(503, title or "Goody unreachable", reason, _TRY_AGAIN, retry_after=_RETRY_LATER)


def _goody_refused(failure: Rejected) -> Problem:
    if failure.status == 403:
        return Problem(502, "Not allowed for this key", "Goody refuses this to our API key.")
    return Problem(502, "Goody refused the request", f"Goody says: {failure.message}")


def _database_failed(request: Request, failure: Exception) -> Problem:
    """Return the page for a failure of our database.

    A GET changed nothing. The request of a submitted form may have reached Goody before the
    database failed, so the page must not claim that nothing happened.
    """
    was_reading = request.method in ("GET", "HEAD")
    if _is_busy(failure):
        return Problem(
            503,
            "Busy",
            "The dashboard's own database is busy writing elsewhere."
            if was_reading
            else "The dashboard's own database was busy, so this could not be finished.",
            "Try again in a moment." if was_reading else _LOOK_FIRST,
            retry_after=_RETRY_SOON,
            tone="warn",
        )
    return Problem(
        503,
        "The dashboard's own database cannot be reached",
        "Nothing can be shown without it. Goody itself is not affected."
        if was_reading
        else "Without it this could not be finished, and what became of it cannot be shown.",
        "Try again in a moment; if it stays, tell an admin." if was_reading else _LOOK_FIRST,
        retry_after=_RETRY_LATER,
    )


_LOOK_FIRST = (
    "If you were changing an order, look at the order and its timeline before you try again; "
    "if this stays, tell an admin."
)


def _is_busy(failure: Exception) -> bool:
    code = getattr(failure.__cause__, "sqlstate", None)
    return code in _BUSY_CODES or "locked" in str(failure)


def show(request: Request, problem: Problem) -> HttpResponse:
    """The whole page; for htmx a banner, in the dialog that asked or at the top of the page."""
    banner = Banner(
        tone=problem.tone,
        title=problem.title,
        sentence=problem.sentence,
        next_step=problem.next_step,
        reference=getattr(request, "request_id", ""),
        link_url=problem.link_url,
        link_label=problem.link_label,
    )
    template, headers = _shape_of(request)
    if problem.retry_after:
        headers["Retry-After"] = str(problem.retry_after)
    may_retry = request.method == "GET" and problem.status >= 500
    context = {"problem": banner, "banner": banner, "may_retry": may_retry}
    response = shortcuts.render(request, template, context, status=problem.status)
    for name, value in headers.items():
        response[name] = value
    return response


def _shape_of(request: Request) -> tuple[str, dict[str, str]]:
    """Return the template and headers. The banner does not replace the requested part."""
    target = htmx_target_id(request)
    if not target:
        return "problem.html", {}
    if target == "dialog-body" and request.method == "GET":
        return "problem.html#dialog", {}
    # A submitted dialog keeps its form, with what was typed.
    place = "#dialog-problem" if target == "dialog-body" else "#problem"
    return "problem.html#banner", {
        "HX-Retarget": place,
        "HX-Reswap": "innerHTML",
        "HX-Push-Url": "false",
    }


def too_late(request: Request) -> HttpResponse:
    """Refuse a request that waited too long for a thread; called by the web server."""
    request.is_frame_bare = True
    log.warning("a request waited too long for a thread")
    response = show(
        request,
        Problem(
            503,
            "Too many requests at once",
            "Others wait for Goody or the dashboard already. Nothing was sent or changed.",
            "Try again in a moment.",
            retry_after=_RETRY_SOON,
            tone="warn",
        ),
    )
    return mark_as_logged(response)


def csrf_failure(request: Request, reason: str = "") -> HttpResponse:
    """Refuse a request for CSRF_FAILURE_VIEW and SecFetchMiddleware, and record the event.

    Nothing was done. An outdated login page redirects to a new one.
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
    return show(
        request,
        Problem(
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
    return show(
        request,
        Problem(
            400,
            "This request could not be understood",
            "Nothing was done.",
            "Go back and try again.",
            tone="warn",
        ),
    )


def permission_denied(request: Request, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler403: a right that is not ours (the admin pages) is missing."""
    return show(
        request,
        Problem(403, "You may not do this", "An admin grants rights by roles.", tone="warn"),
    )


def not_found(request: Request, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler404."""
    return show(
        request,
        Problem(
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
    """Return a page instead of Django's empty 405, for a form's URL that was typed or reloaded."""
    page = show(
        request,
        Problem(
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
    return mark_as_logged(page)


def server_error(request: Request, *args: Any) -> HttpResponse:  # noqa: ARG001
    """Return the page for handler500, after a bug. Its frame does not read the database."""
    request.is_frame_bare = True
    return show(
        request,
        Problem(
            500,
            "Something went wrong here",
            "This is a fault of the dashboard, and it has been logged.",
            "If you tell an admin, give the reference below. If you were changing an order, look "
            "at the order before you try again.",
        ),
    )
