"""The system page for admins, the setup page, and the sync status in the frame of every page."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django import shortcuts
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders import services, sync
from orders.audit import Right
from orders.presenters.setup import make_setup
from orders.presenters.system import make_system, sync_state
from orders.viewer import Request

from .concurrency import GOODY_READ, in_group
from .http import render, requires


@in_group(POST=GOODY_READ)
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SYSTEM)
def system(request: Request) -> HttpResponse:
    """Show the system page. A POST checks the API key with Goody.

    The check is audited; a valid key ends a block of calls.
    """
    viewer = request.viewer
    check = None
    if request.method == "POST":
        check = services.check_key(actor=viewer.actor, now=viewer.now)
    return _page(request, check=check)


@require_POST
@requires(Right.SYSTEM)
def sync_resume(request: Request) -> HttpResponse:
    """Resume a sync that stopped because many orders were missing; audited."""
    viewer = request.viewer
    # Pressed twice, or by two people: already resumed.
    with suppress(sync.NotStopped):
        sync.resume(actor=viewer.actor, now=viewer.now)
    return _page(request)


def _page(request: Request, *, check: services.KeyCheck | None = None) -> HttpResponse:
    viewer = request.viewer
    context = {
        "system": make_system(zone=viewer.zone, now=viewer.now),
        "syncing": sync_state(viewer.progress, zone=viewer.zone),
        "check": check,
    }
    fragments = {"connection": "connection", "sync": "sync"}
    return render(request, "system.html", context, fragments)


@require_safe
@requires(Right.READ)
def sync_status(request: Request) -> HttpResponse:
    """Return the age of the index, which every page polls."""
    return shortcuts.render(request, "includes/sync_status.html")


@require_safe
@requires(Right.READ)
def setup(request: Request) -> HttpResponse:
    """Show the steps until all orders are imported; admins can act on them."""
    return shortcuts.render(request, "setup.html", _setup_context(request))


@require_safe
@requires(Right.READ)
def setup_steps(request: Request) -> HttpResponse:
    """Return the steps, which the setup page polls."""
    return shortcuts.render(request, "setup.html#steps", _setup_context(request))


def _setup_context(request: Request) -> dict[str, Any]:
    viewer = request.viewer
    return {"setup": make_setup(viewer), "is_admin": viewer.actor.may(Right.SYSTEM)}
