"""The login, and a person's own settings. Accounts and roles are managed in Django's admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from orders.forms.people import LoginForm, SettingsForm
from orders.viewer import Request

_UNSENT = TimestampSigner(salt="orders.unsent")
_UNSENT_FOR = timedelta(hours=1)


def unsent_mark() -> str:
    """A parameter of the login's URL: a form was sent without a session, and was not processed.

    Signed and valid for an hour, so that a shared link does not claim it.
    """
    return _UNSENT.sign("unsent")


def _is_unsent(mark: str) -> bool:
    try:
        _UNSENT.unsign(mark, max_age=_UNSENT_FOR)
    except BadSignature:
        return False
    return True


class Login(LoginView):
    """Django's login view, which checks `next`."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        mark = self.request.POST.get("unsent") or self.request.GET.get("unsent", "")
        return super().get_context_data(
            **context,
            unsent=mark,
            is_unsent=_is_unsent(mark),
            is_again="again" in self.request.GET,
        )

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: Request) -> HttpResponse:
    """Time zone, theme, density and keyboard of whoever is logged in; needs no role."""
    posted = request.POST if request.method == "POST" else None
    form = SettingsForm(posted, instance=request.viewer.profile)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, "Settings saved", extra_tags="good")
        return redirect("settings")
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "settings.html", {"form": form}, status=status)
