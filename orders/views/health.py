"""For whoever watches the processes: alive, and ready to serve. No login, no personal data."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders.services.readiness import readiness_problem

from .concurrency import PROBE, in_group
from .http import mark_logged, works_without_database

_TEXT = "text/plain; charset=utf-8"


@in_group(GET=PROBE)
@login_not_required
@works_without_database
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The process answers. Touches nothing else, so that a slow database restarts nobody."""
    return HttpResponse("ok\n", content_type=_TEXT)


@in_group(GET=PROBE)
@login_not_required
@works_without_database
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can serve pages; with `?worker=1`, a worker runs as well. 503 otherwise."""
    problem = readiness_problem(now=timezone.now(), needs_worker=request.GET.get("worker") == "1")
    if problem:
        # Polled every few seconds.
        return mark_logged(HttpResponse(f"{problem}\n", status=503, content_type=_TEXT))
    return HttpResponse("ok\n", content_type=_TEXT)
