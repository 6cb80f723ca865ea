"""Error pages: the message and the HTTP status of every expected failure.

Any other exception is a bug: Django logs it and shows the 500 page with the request id. Refusals of
a write are shown in its dialog (write_responses.py).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import Error as DatabaseFailure
from django.http import HttpResponse
from django.urls import reverse

from goody.errors import BadResponse, GoodyError, RateLimited, Rejected, Unauthorized
from orders import formats
from orders.bulk.selections import SelectionNotFound
from orders.goody_api import CallsBlocked, CallsPaused, KeyRejected, NotConfigured, rate_limit_wait
from orders.outages import is_database_outage
from orders.rights import NotAllowed, Right
from orders.search import SearchTimeout
from orders.services import FindingNotFound, OrderNotFound
from orders.viewer import Request

from .errors import RETRY_SOON, ErrorPage, render_error_page
from .http import suppress_response_log

log = logging.getLogger(__name__)


_RETRY_LATER = 30


# PostgreSQL's codes of a lock or statement that timed out, or a serialization failure.
_BUSY_CODES = {"55P03", "57014", "40001", "40P01"}


def failure_response(request: Request, exception: Exception) -> HttpResponse | None:
    """Return the page of an expected failure; None for a bug, which Django logs and answers."""
    problem = _page_of(request, exception)
    if problem is None:
        return None
    if isinstance(exception, DatabaseFailure):
        request.is_frame_bare = True
    if problem.status >= 500:
        detail = exception.detail if isinstance(exception, GoodyError) else exception
        log.warning("%s: %s", type(exception).__name__, detail)
    return suppress_response_log(render_error_page(request, problem))


def _page_of(request: Request, exception: Exception) -> ErrorPage | None:
    if isinstance(exception, NotAllowed):
        return _not_allowed(request, exception)
    if isinstance(exception, OrderNotFound):
        return _order_not_found()
    if isinstance(exception, FindingNotFound):
        return _no_such_finding()
    if isinstance(exception, SelectionNotFound):
        return _no_such_selection()
    if isinstance(exception, KeyRejected | Unauthorized):
        return _key_rejected(request)
    if isinstance(exception, CallsBlocked | RateLimited):
        return _calls_blocked(request, exception)
    if isinstance(exception, GoodyError):
        return _goody_failed(exception)
    if isinstance(exception, SearchTimeout):
        return _search_timed_out()
    if is_database_outage(exception):
        return _database_failed(request, exception)
    return None


def _not_allowed(request: Request, refusal: NotAllowed) -> ErrorPage:
    if request.viewer.actor.role is None:
        return ErrorPage(
            403,
            "Your account has no role yet",
            "Without a role you may not see orders. An admin can make you a viewer, an agent or "
            "a lead.",
            tone="warn",
        )
    return ErrorPage(403, "You may not do this", str(refusal), tone="warn")


def _order_not_found() -> ErrorPage:
    return ErrorPage(
        404,
        "Goody does not know this order",
        "Is this the right environment, and was the address copied whole?",
        link_url=reverse("order_list"),
        link_label="All orders",
        tone="warn",
    )


def _no_such_finding() -> ErrorPage:
    return ErrorPage(
        404,
        "This list is not here any more",
        "What was found in a pasted text is kept for 7 days, only for the person who pasted it.",
        "Paste the text again.",
        reverse("order_find"),
        "Find orders in a text",
        tone="warn",
    )


def _no_such_selection() -> ErrorPage:
    return ErrorPage(
        404,
        "This selection is not here any more",
        "Selected orders are kept for 24 hours, only for the person who selected them.",
        "Select them again.",
        reverse("order_list"),
        "All orders",
        tone="warn",
    )


def _key_rejected(request: Request) -> ErrorPage:
    if request.viewer.actor.may(Right.SYSTEM):
        return ErrorPage(
            503,
            "API key rejected",
            "Goody does not accept GOODY_API_KEY. Nothing more is asked of Goody with this key.",
            "Put a valid key into the environment and restart the dashboard, or check it again.",
            reverse("system"),
            "Check the key",
        )
    return ErrorPage(
        503,
        "Connection problem",
        "This dashboard has no working connection to Goody at present.",
        "An admin can mend it. Your work is not lost: nothing was sent.",
        reverse("setup"),
        "Whom to ask",
    )


def _calls_blocked(request: Request, failure: Exception) -> ErrorPage:
    if isinstance(failure, NotConfigured):
        return _not_configured(request, failure)
    now, zone = request.viewer.now, request.viewer.zone
    if isinstance(failure, CallsPaused):
        until = failure.until
    elif isinstance(failure, RateLimited):
        until = now + rate_limit_wait(failure)
    else:
        until = now + timedelta(seconds=RETRY_SOON)
    at = f"{formats.time_of_day(until, zone)} {formats.zone_name(until, zone)}"
    return ErrorPage(
        503,
        f"Goody asks us to wait until {at}",
        "Goody limits how much may be asked at a time.",
        "Try again then.",
        retry_after=max(1, round((until - now).total_seconds())),
        tone="warn",
    )


def _not_configured(request: Request, failure: NotConfigured) -> ErrorPage:
    """Return the page for a setting that is missing or invalid."""
    title, _, reason = str(failure).partition(": ")
    return ErrorPage(
        503,
        title,
        f"{reason}." if reason else "The dashboard does not know which Goody to ask.",
        "Put it right in the environment or in the file .env (see .env.example and the README), "
        "then restart the dashboard.",
        reverse("setup"),
        "Setup" if request.viewer.actor.may(Right.SYSTEM) else "Whom to ask",
        tone="warn",
    )


def _search_timed_out() -> ErrorPage:
    return ErrorPage(
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


def _goody_failed(failure: GoodyError) -> ErrorPage:
    reason = f"{str(failure)[:1].upper()}{str(failure)[1:]}."
    title = _GOODY_TITLES.get(failure.kind)
    if isinstance(failure, Rejected):
        return _goody_refused(failure)
    if isinstance(failure, BadResponse):
        return ErrorPage(502, title or "Unexpected answer from Goody", reason, _TRY_AGAIN)
    return ErrorPage(
        503, title or "Goody unreachable", reason, _TRY_AGAIN, retry_after=_RETRY_LATER
    )


def _goody_refused(failure: Rejected) -> ErrorPage:
    if failure.status == 403:
        return ErrorPage(502, "Not allowed for this key", "Goody refuses this to our API key.")
    return ErrorPage(502, "Goody refused the request", f"Goody says: {failure.message}")


def _database_failed(request: Request, failure: Exception) -> ErrorPage:
    """Return the page for a failure of our database.

    A submitted form may have been sent to Goody before the database failed, so that its page must
    not claim that nothing happened. A GET changes nothing.
    """
    was_reading = request.method in ("GET", "HEAD")
    if _is_busy(failure):
        return ErrorPage(
            503,
            "Busy",
            "The dashboard's own database is busy writing elsewhere."
            if was_reading
            else "The dashboard's own database was busy, so this could not be finished.",
            "Try again in a moment." if was_reading else _LOOK_FIRST,
            retry_after=RETRY_SOON,
            tone="warn",
        )
    return ErrorPage(
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
