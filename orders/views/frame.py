"""The part of the frame around every page that is asked for anew."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders.audit import Right

from .permissions import requires


@require_safe
@requires(Right.READ)
def synced(request: HttpRequest) -> HttpResponse:
    """How old the index is by now: a page that stays open for hours must not go on saying 40 s."""
    return render(request, "includes/synced.html")
