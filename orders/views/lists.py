"""The list of orders: one live page of Goody's."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from orders import formats, services
from orders.audit import Right
from orders.forms.listing import DEFAULT_SIZE, ListingForm, Position, Window, list_url
from orders.presenters.listing import Page, filters_in_words, make_page
from orders.services import Listing

from .fragments import render
from .permissions import requires

_FRAGMENTS = {"results": "results"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return redirect("order_list")


@require_safe
@requires(Right.READ)
def order_list(request: HttpRequest) -> HttpResponse:
    """Orders as Goody has them now, page by page, within a creation window."""
    form = ListingForm(request.GET)
    if not form.is_valid():
        return _show(request, form, page=None, status=400)
    if form.cleaned_data["goto"]:
        return _go_to_page(request, form)
    listing = _ask(request, form)
    page = make_page(
        listing,
        viewer=request.viewer,
        window=form.window,
        size=form.cleaned_data["per_page"],
        asked=form.cleaned_data["position"],
    )
    return _show(request, form, page=page)


def _go_to_page(request: HttpRequest, form: ListingForm) -> HttpResponseRedirect:
    position: Position = form.cleaned_data["position"]
    there = replace(position.frozen(request.viewer.now), page=form.cleaned_data["goto"])
    size = form.cleaned_data["per_page"]
    return HttpResponseRedirect(list_url(window=form.window, size=size, position=there))


def _ask(request: HttpRequest, form: ListingForm) -> Listing:
    position: Position = form.cleaned_data["position"]
    after, before = form.window.bounds(request.viewer.zone)
    return services.list_orders(
        page=position.page,
        per_page=form.cleaned_data["per_page"],
        created_after=after,
        created_before=min(filter(None, (before, position.created_before)), default=None),
        now=request.viewer.now,
    )


def _show(
    request: HttpRequest, form: ListingForm, *, page: Page | None, status: int = 200
) -> HttpResponse:
    size = form.cleaned_data.get("per_page") or DEFAULT_SIZE
    zone, now = request.viewer.zone, request.viewer.now
    context = {
        "form": form,
        "page": page,
        "filters": filters_in_words(form.window, size=size),
        "clear_url": list_url(window=Window(), size=size),
        "size": size,
        "default_size": DEFAULT_SIZE,
        "zone": formats.zone_in_words(zone, now),
    }
    return render(request, "orders/list.html", context, _FRAGMENTS, status=status)
