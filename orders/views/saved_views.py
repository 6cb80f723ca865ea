"""Views that save a list under a name and manage saved views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from orders import services
from orders.forms.saved_views import NewSavedViewForm, SavedViewForm
from orders.list_url import saved_view_url
from orders.models import SavedView
from orders.presenters.list_views import saved_views_to_manage
from orders.rights import NotAllowed, Right
from orders.services import InvalidSavedView
from orders.viewer import Request

from .http import HttpResponseSeeOther, requires_right


@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.SAVE_VIEW)
def order_views(request: Request) -> HttpResponseBase:
    """Show all views that the viewer may see; a POST saves a list as a new one."""
    if request.method != "POST":
        return _show(request)
    form = NewSavedViewForm(request.POST)
    if not form.is_valid():
        return _show(request, form, problems=_errors(form))
    try:
        view = services.save_view(
            actor=request.viewer.actor, **form.cleaned_data, now=request.viewer.now
        )
    except InvalidSavedView as problem:
        return _show(request, form, problems=[str(problem)])
    messages.success(request, f"View “{view.name}” saved", extra_tags="good")
    return HttpResponseSeeOther(saved_view_url(view.query, view_id=view.pk))


@require_POST
@requires_right(Right.READ)
def order_view(request: Request, view_id: int) -> HttpResponseBase:
    """Rename, save, share, withdraw, move or delete one view, depending on the field `do`."""
    actor = request.viewer.actor
    view = next((one for one in services.visible_views(actor) if one.pk == view_id), None)
    if view is None:
        raise Http404
    if not services.may_change_view(view, actor):
        raise NotAllowed(Right.SHARE_VIEW if view.is_shared else Right.SAVE_VIEW)
    form = SavedViewForm(request.POST)
    if not form.is_valid():
        return _show(request, problems=_errors(form))
    try:
        message = _CHANGES[form.cleaned_data["do"]](request, view, form.cleaned_data)
    except InvalidSavedView as problem:
        return _show(request, problems=[str(problem)])
    messages.success(request, message, extra_tags="good")
    is_at_list = form.cleaned_data["do"] == "save"
    return HttpResponseSeeOther(
        saved_view_url(view.query, view_id=view.pk) if is_at_list else reverse("order_views")
    )


type _Change = Callable[[Request, SavedView, Mapping[str, Any]], str]


def _rename(request: Request, view: SavedView, values: Mapping[str, Any]) -> str:
    before, viewer = view.name, request.viewer
    services.change_view(actor=viewer.actor, view=view, name=values["name"], now=viewer.now)
    return f"“{before}” is called “{view.name}” now"


def _save(request: Request, view: SavedView, values: Mapping[str, Any]) -> str:
    viewer = request.viewer
    services.change_view(actor=viewer.actor, view=view, query=values["query"], now=viewer.now)
    return f"View “{view.name}” saved"


def _share(request: Request, view: SavedView, _: Mapping[str, Any]) -> str:
    services.share_view(actor=request.viewer.actor, view=view, now=request.viewer.now)
    return f"Everybody sees “{view.name}” now"


def _withdraw(request: Request, view: SavedView, _: Mapping[str, Any]) -> str:
    services.withdraw_view(actor=request.viewer.actor, view=view, now=request.viewer.now)
    return f"“{view.name}” is shared no more"


def _move_up(request: Request, view: SavedView, _: Mapping[str, Any]) -> str:
    services.move_view_up(actor=request.viewer.actor, view=view)
    return f"“{view.name}” moved up"


def _delete(request: Request, view: SavedView, _: Mapping[str, Any]) -> str:
    services.delete_view(actor=request.viewer.actor, view=view)
    return f"View “{view.name}” deleted"


_CHANGES: dict[str, _Change] = {
    "rename": _rename,
    "save": _save,
    "share": _share,
    "withdraw": _withdraw,
    "up": _move_up,
    "delete": _delete,
}


def _show(
    request: Request, form: NewSavedViewForm | None = None, *, problems: list[str] | None = None
) -> HttpResponse:
    """Show the page of all views. `form` is a new view with errors."""
    viewer, actor = request.viewer, request.viewer.actor
    context = {
        "views": saved_views_to_manage(
            services.visible_views(actor), actor=actor, clock=viewer.clock
        ),
        "form": form,
        "problems": problems or [],
        "may_share": actor.may(Right.SHARE_VIEW),
    }
    return render(request, "orders/views.html", context, status=422 if problems else 200)


def _errors(form: forms.Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
