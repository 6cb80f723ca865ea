"""Logging in and out, and a person's own password. Accounts are managed in Django's admin."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from orders import formats
from orders.forms.account import LoginForm, SettingsForm
from orders.rights import Actor
from orders.services import sign_in
from orders.viewer import Request

from .concurrency import LOGIN, in_concurrency_group

_UNSENT = TimestampSigner(salt="orders.unsent")
_UNSENT_FOR = timedelta(hours=1)


def unsent_form_parameter() -> str:
    """Return the signed URL parameter that tells the login page of a form sent without a session.

    The form was not processed, and the login page says so. The parameter is valid for an hour, so
    that a shared link does not show the message.
    """
    return _UNSENT.sign("unsent")


def _is_unsent(mark: str) -> bool:
    try:
        _UNSENT.unsign(mark, max_age=_UNSENT_FOR)
    except BadSignature:
        return False
    return True


class LimitedLoginView(LoginView):
    """Django's login view, which checks `next`."""

    request: Request
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

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        attempt = _attempt(request, request.POST.get("username", ""))
        if not (attempt.username and request.POST.get("password")):
            # Nothing is compared with a stored password.
            return super().post(request, *args, **kwargs)
        wait = sign_in.count_attempt(attempt, now=timezone.now())
        return self._too_many(wait) if wait else super().post(request, *args, **kwargs)

    def _too_many(self, wait: timedelta) -> HttpResponse:
        """Refuse the attempt without validating the form, so that no password is hashed."""
        form = self.get_form_class()(self.request)
        context = self.get_context_data(form=form, wait=_in_words(wait))
        return self.render_to_response(context, status=429, headers=_retry_after(wait))

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        request, user = self.request, form.get_user()
        sign_in.record_successful_sign_in(
            _attempt(request, user.get_username()),
            actor=Actor.for_user(user, request.request_id),
            now=timezone.now(),
        )
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        request = self.request
        attempt = _attempt(request, request.POST.get("username", ""))
        if attempt.username and request.POST.get("password"):
            sign_in.record_failed_sign_in(attempt, request_id=request.request_id)
        return self.render_to_response(self.get_context_data(form=form), status=422)


def _attempt(request: HttpRequest, username: str) -> sign_in.SignInAttempt:
    return sign_in.SignInAttempt(username.strip(), request.META["REMOTE_ADDR"])


def _in_words(wait: timedelta) -> str:
    seconds = math.ceil(wait.total_seconds())
    if seconds > 90:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{seconds} second{'s' * (seconds != 1)}"


def _retry_after(wait: timedelta) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(wait.total_seconds()))}


login = in_concurrency_group(POST=LOGIN)(LimitedLoginView.as_view())


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def admin_login(request: Request) -> HttpResponse:
    """Replace the admin's login by a redirect to the page or to our login, which limits attempts.

    Raises PermissionDenied for people without access to the admin.
    """
    if request.user.is_staff:
        return redirect("admin:index")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))


@require_POST
def sign_out_everywhere(request: Request) -> HttpResponse:
    """End all sessions of this person on all devices, including this one."""
    viewer = request.viewer
    sign_in.sign_out_everywhere(actor=viewer.actor, now=viewer.now)
    request.session.flush()
    messages.success(request, "Logged out everywhere", extra_tags="good")
    return redirect("login")


class LimitedPasswordChangeView(PasswordChangeView):
    """Changes a person's own password and ends that person's other sessions."""

    request: Request
    template_name = "password.html"
    success_url = reverse_lazy("settings")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Limit guesses of the old password exactly as guesses at the login."""
        wait = sign_in.count_attempt(self._attempt, now=timezone.now())
        if not wait:
            return super().post(request, *args, **kwargs)
        # Not bound: showing the errors of one that is would check the password.
        form = self.get_form_class()(user=cast(User, request.user))
        context = self.get_context_data(form=form, wait=_in_words(wait))
        return self.render_to_response(context, status=429, headers=_retry_after(wait))

    @property
    def _attempt(self) -> sign_in.SignInAttempt:
        return _attempt(self.request, self.request.user.get_username())

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        viewer = self.request.viewer
        sign_in.forget_failures(self._attempt, now=viewer.now)
        sign_in.record_password_change(actor=viewer.actor, now=viewer.now)
        messages.success(self.request, "Password changed", extra_tags="good")
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


password_change = in_concurrency_group(POST=LOGIN)(LimitedPasswordChangeView.as_view())


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
    return _show_settings(request, form)


def _show_settings(request: Request, form: SettingsForm) -> HttpResponse:
    viewer = request.viewer
    context = {
        "form": form,
        "zone": viewer.zone.key,
        "user_name": request.user.get_username(),
        "role": viewer.actor.role,
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "settings.html", context, status=status)
