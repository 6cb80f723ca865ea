"""The URLs of the dashboard, of the bare view, and of the peers' admin if it is enabled."""

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.module_loading import import_string

BARE = "<!doctype html><title>bare</title>" + "<p>thirty kilobytes</p>" * (30_000 // 23)


def bare_view(request: HttpRequest) -> HttpResponse:
    """Return 30 KB to a signed-in user: it reads the session and the user, nothing else."""
    return HttpResponse(f"{BARE}<p>{request.user.pk}</p>")


handler400 = "orders.views.errors.bad_request"
handler403 = "orders.views.errors.permission_denied"
handler404 = "orders.views.errors.not_found"
handler500 = "orders.views.errors.server_error"

urlpatterns = [path("bare/", bare_view), path("", include("goodyadmin.urls"))]
if apps.is_installed("bench.changelist"):
    urlpatterns.append(path("peers/", import_string("bench.changelist.admin.site").urls))
