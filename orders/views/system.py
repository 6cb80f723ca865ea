"""For admins: the connection to Goody, the index, open changes, oddities, security events."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from orders import services, sync
from orders.audit import Right
from orders.presenters.syncing import make_syncing
from orders.presenters.system import make_system

from .fragments import render
from .permissions import requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SYSTEM)
def system(request: HttpRequest) -> HttpResponse:
    """POST checks the key: it asks Goody, is audited, and opens the gate if the key works."""
    viewer = request.viewer
    check = None
    if request.method == "POST":
        check = services.check_key(actor=viewer.actor, now=viewer.now)
    return _page(request, check=check)


@require_POST
@requires(Right.SYSTEM)
def sync_resume(request: HttpRequest) -> HttpResponse:
    """Let a sync go on that stopped because something looked wrong; audited."""
    viewer = request.viewer
    # Pressed twice, or by two: it goes on.
    with suppress(sync.NotStopped):
        sync.let_go_on(actor=viewer.actor, now=viewer.now)
    return _page(request)


def _page(request: HttpRequest, *, check: services.KeyCheck | None = None) -> HttpResponse:
    viewer = request.viewer
    context = {
        "system": make_system(zone=viewer.zone, now=viewer.now),
        "syncing": make_syncing(viewer.progress, zone=viewer.zone),
        "check": check,
    }
    fragments = {"connection": "connection", "sync": "sync"}
    return render(request, "system.html", context, fragments)
