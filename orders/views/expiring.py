"""The page of unaccepted gifts that expire soon or expired recently."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders.presenters.expiring import DEFAULT_WINDOW, make_expiring_page
from orders.presenters.freshness import make_freshness_notes
from orders.rights import Right
from orders.search import SearchTimeout
from orders.services.expiring import WINDOWS, expiring_gifts
from orders.viewer import Request

from .http import requires_right


@require_safe
@requires_right(Right.READ)
def expiring(request: Request) -> HttpResponse:
    """Show the counts of all days and windows, and the groups of the window `expires`."""
    viewer = request.viewer
    window = request.GET.get("expires", "")
    grouped = window if window in WINDOWS else DEFAULT_WINDOW
    try:
        gifts = expiring_gifts(viewer.clock, grouped=grouped)
    except SearchTimeout:
        page = None
    else:
        page = make_expiring_page(gifts, grouped=grouped, viewer=viewer)
    freshness = make_freshness_notes(viewer.sync_progress, viewer=viewer)
    return render(request, "expiring.html", {"expiring": page, "freshness": freshness})
