"""Logging in, and one's own settings. Accounts and roles are kept in Django's admin."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from orders.forms.people import LoginForm, SettingsForm


class Login(LoginView):
    """Django's login in the site's frame; `next` is checked by Django and kept."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: LoginForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Time zone, theme, density and keyboard of whoever is logged in; needs no role."""
    posted = request.POST if request.method == "POST" else None
    form = SettingsForm(posted, instance=request.viewer.profile)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, "Settings saved", extra_tags="good")
        return redirect("settings")
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "settings.html", {"form": form}, status=status)
