"""Health checks for monitoring: alive, and ready to serve. They require no login."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders.services.health import readiness_problem

from .concurrency import PROBE, in_concurrency_group
from .http import suppress_response_log, works_without_database

_TEXT = "text/plain; charset=utf-8"


@in_concurrency_group(GET=PROBE)
@login_not_required
@works_without_database
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Confirm that the process answers.

    The database is not read, so that a slow one does not cause restarts.
    """
    return HttpResponse("ok\n", content_type=_TEXT)


@in_concurrency_group(GET=PROBE)
@login_not_required
@works_without_database
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 if the process can serve pages, else 503.

    With `?worker=1` a worker must run as well.
    """
    problem = readiness_problem(now=timezone.now(), needs_worker=request.GET.get("worker") == "1")
    if problem:
        # Polled every few seconds.
        return suppress_response_log(HttpResponse(f"{problem}\n", status=503, content_type=_TEXT))
    return HttpResponse("ok\n", content_type=_TEXT)
