"""For admins: the connection to Goody, open changes, oddities, security events."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from orders import services
from orders.audit import Right
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
    context = {"system": make_system(zone=viewer.zone, now=viewer.now), "check": check}
    return render(request, "system.html", context, {"connection": "connection"})
