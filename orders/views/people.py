"""A person's own settings. Accounts and roles are managed in Django's admin."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from orders import formats
from orders.forms.people import SettingsForm
from orders.viewer import Request


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: Request) -> HttpResponse:
    """Show and save time zone, theme, density and keyboard of the logged-in person.

    It requires no role.
    """
    posted = request.POST if request.method == "POST" else None
    viewer = request.viewer
    now, zone = viewer.now, viewer.zone
    time = f"{formats.hour_and_minute(now, zone)} {formats.zone_name(now, zone)}"
    form = SettingsForm(posted, instance=viewer.profile, now=time)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, "Settings saved", extra_tags="good")
        return redirect("settings")
    return _show(request, form)


def _show(request: Request, form: SettingsForm) -> HttpResponse:
    viewer = request.viewer
    context = {
        "form": form,
        "zone": viewer.zone.key,
        "user_name": request.user.get_username(),
        "role": viewer.actor.role,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "settings.html", context, status=status)
