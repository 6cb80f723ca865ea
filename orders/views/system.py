"""The system page for admins, the setup page, and the sync status in the frame of every page."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django import shortcuts
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders import bulk, services, sync
from orders.presenters.setup import make_setup_page
from orders.presenters.system import make_sync_section, make_system_page
from orders.rights import Right
from orders.services.system_status import active_admins, read_setup_status, read_system_status
from orders.viewer import Request

from .concurrency import GOODY_READ, in_concurrency_group
from .http import render_page_or_partial, requires_right


@in_concurrency_group(POST=GOODY_READ)
@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.SYSTEM)
def system_page(request: Request) -> HttpResponse:
    """Show the system page. A POST checks the API key with Goody.

    The check is audited; a valid key ends a block of calls.
    """
    viewer = request.viewer
    check = None
    if request.method == "POST":
        check = services.check_api_key(actor=viewer.actor, now=viewer.now)
    return _page(request, check=check)


@require_POST
@requires_right(Right.SYSTEM)
def sync_resume(request: Request) -> HttpResponse:
    """Resume a sync that stopped because many orders were missing; audited."""
    viewer = request.viewer
    # Pressed twice, or by two people: already resumed.
    with suppress(sync.SyncNotStopped):
        sync.resume_sync(actor=viewer.actor, now=viewer.now)
    return _page(request)


def _page(request: Request, *, check: services.ApiKeyCheck | None = None) -> HttpResponse:
    viewer = request.viewer
    page = make_system_page(
        read_system_status(now=viewer.now),
        is_queue_reachable=bulk.is_queue_reachable(),
        zone=viewer.zone,
        now=viewer.now,
    )
    context = {
        "system": page,
        "syncing": make_sync_section(viewer.sync_progress, zone=viewer.zone),
        "check": check,
    }
    fragments = {"connection": "connection", "sync": "sync"}
    return render_page_or_partial(request, "system.html", context, fragments)


@require_safe
@requires_right(Right.READ)
def sync_status(request: Request) -> HttpResponse:
    """Return the age of the index, which every page polls."""
    return shortcuts.render(request, "includes/sync_status.html")


@require_safe
@requires_right(Right.READ)
def setup(request: Request) -> HttpResponse:
    """Show the steps until all orders are imported; admins can act on them."""
    return shortcuts.render(request, "setup.html", _setup_context(request))


@require_safe
@requires_right(Right.READ)
def setup_steps(request: Request) -> HttpResponse:
    """Return the steps, which the setup page polls."""
    return shortcuts.render(request, "setup.html#steps", _setup_context(request))


def _setup_context(request: Request) -> dict[str, Any]:
    viewer = request.viewer
    is_admin = viewer.actor.may(Right.SYSTEM)
    page = make_setup_page(
        read_setup_status(now=viewer.now),
        viewer.sync_progress,
        admins=() if is_admin else active_admins(),
        viewer=viewer,
    )
    return {"setup": page, "is_admin": is_admin}
