"""The list of orders: Goody's own list until the first import is complete, then the index.

A list that Goody's API cannot filter or sort is always answered from the index.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from goody.errors import GoodyError
from orders import formats, services
from orders.audit import Right
from orders.goody_api import CallsBlocked
from orders.list_url import Filters
from orders.presenters import index_list
from orders.presenters.filter_form import FilterControls, make_filter_controls
from orders.presenters.filters import HINTS, table_columns
from orders.presenters.freshness import FreshnessNotes, import_banner, make_freshness_notes
from orders.presenters.list_page import EmptyList, ListPage, finding_summary
from orders.presenters.live_list import live_page
from orders.presenters.saved_views import make_saved_view_bar
from orders.presenters.setup import is_first_run
from orders.search import CommonLabels, SearchTimeout
from orders.search.paste import recognize_identifiers
from orders.search.query import Sort
from orders.services import LivePage, OrderNotFound
from orders.sync import SyncProgress
from orders.viewer import Request

from .concurrency import page_call_slot
from .http import HttpResponseSeeOther, htmx_source_id, render_page_or_partial, requires_right
from .list_request import ListRequest, parse_list_request
from .remedies import suggest_remedies

TEMPLATE = "orders/list.html"
_FRAGMENTS = {"results": "results"}
_FORM = "filters"


@require_safe
def home(request: Request) -> HttpResponse:
    """Redirect to the list, or to the setup page while there is nothing to list."""
    viewer = request.viewer
    is_setup = viewer.actor.may(Right.READ) and is_first_run(viewer.progress)
    return redirect("setup" if is_setup else "order_list")


@require_safe
@requires_right(Right.READ)
def order_list(request: Request) -> HttpResponseBase:
    wanted = parse_list_request(request)
    if not wanted.is_valid:
        return _show(request, wanted, page=None, status=400)
    progress = request.viewer.progress
    if not progress.is_complete and wanted.filters.is_answerable_live:
        return _live(request, wanted, progress)
    freshness = make_freshness_notes(progress, viewer=request.viewer)
    named = wanted.interpretation
    if named.order_id:
        return _redirect_to_order(request, named.order_id)
    if named.unknown_id:
        return _ask_goody(request, wanted, named.unknown_id, freshness)
    return _indexed(request, wanted, freshness)


# --- Goody's own list -------------------------------------------------------------------------


def _live(request: Request, wanted: ListRequest, progress: SyncProgress) -> HttpResponse:
    if number := wanted.form.cleaned_data.get("goto"):
        return _redirect_to_page(request, wanted, number)
    with page_call_slot():
        listing = _request_page(request, wanted)
    page = live_page(
        listing,
        viewer=request.viewer,
        filters=wanted.filters,
        position=wanted.live_position,
    )
    page = replace(page, banners=[*page.banners, *import_banner(progress)])
    return _show(request, wanted, page=page)


def _redirect_to_page(request: Request, wanted: ListRequest, number: int) -> HttpResponseRedirect:
    position = replace(wanted.live_position.frozen(request.viewer.now), page=number)
    return HttpResponseRedirect(wanted.filters.url(position=position.serialize()))


def _request_page(request: Request, wanted: ListRequest) -> LivePage:
    position = wanted.live_position
    after, before = wanted.filters.created_bounds(request.viewer.zone)
    return services.list_orders(
        page=position.page,
        per_page=wanted.filters.per_page,
        created_after=after,
        created_before=min(filter(None, (before, position.created_before)), default=None),
        now=request.viewer.now,
    )


# --- the index --------------------------------------------------------------------------------


def _indexed(request: Request, wanted: ListRequest, freshness: FreshnessNotes) -> HttpResponse:
    asked, position = wanted.asked, wanted.asked.position
    try:
        found = services.find_orders(
            asked.query,
            size=asked.filters.per_page,
            now=request.viewer.now,
            at=position.key if position else None,
            is_backwards=bool(position and position.is_backwards),
        )
    except SearchTimeout:
        why = index_list.search_timed_out(asked.filters)
        return _show_empty(request, wanted, why, freshness)
    page = index_list.index_page(found, asked=asked, freshness=freshness, viewer=request.viewer)
    return _show(request, wanted, page=page, freshness=freshness)


def _redirect_to_order(request: Request, order_id: UUID) -> HttpResponse:
    url = reverse("order_detail", args=[order_id])
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseSeeOther(url)


def _ask_goody(
    request: Request, wanted: ListRequest, order_id: UUID, freshness: FreshnessNotes
) -> HttpResponse:
    """Read an id from Goody that the index does not contain."""
    try:
        with page_call_slot():
            services.refresh_order(order_id=order_id, now=request.viewer.now)
    except OrderNotFound:
        why = index_list.unknown_to_goody(order_id)
    except (CallsBlocked, GoodyError) as error:
        why = index_list.order_not_requested(order_id, services.freshness_problem(error))
    else:
        return _redirect_to_order(request, order_id)
    return _show_empty(request, wanted, why, freshness)


# --- responses --------------------------------------------------------------------------------


def _show_empty(
    request: Request, wanted: ListRequest, why: EmptyList, freshness: FreshnessNotes
) -> HttpResponse:
    page = index_list.page_without_rows(why, asked=wanted.asked, freshness=freshness)
    return _show(request, wanted, page=page, freshness=freshness)


def _show(
    request: Request,
    wanted: ListRequest,
    *,
    page: ListPage | None,
    freshness: FreshnessNotes | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the list. `freshness` is None for a page of Goody's own list."""
    filters, order, chips = wanted.filters, wanted.asked.query.order, wanted.chips()
    if page and not page.rows and page.empty is None and freshness:
        why = index_list.explain_empty_page(
            wanted.asked, chips, freshness, remedies=partial(suggest_remedies, wanted)
        )
        page = replace(page, empty=why, pager=None)
    context = {
        "filters": filters,
        "filter_form": _filter_form(wanted),
        "active": chips,
        "clear_url": filters.cleared().url(),
        "heads": table_columns(filters, order=order),
        "hints": HINTS,
        "page": page,
        "sentences": wanted.errors,
        **_tools(request, wanted, is_indexed=freshness is not None),
    }
    response = render_page_or_partial(request, TEMPLATE, context, _FRAGMENTS, status=status)
    for name, value in _address_headers(request, wanted).items():
        response[name] = value
    return response


def _tools(request: Request, wanted: ListRequest, *, is_indexed: bool) -> dict[str, Any]:
    """Return the context of the part above the list: saved views, finding summary, download."""
    viewer, filters, finding = request.viewer, wanted.filters, wanted.finding
    actor = viewer.actor
    may_export = is_indexed and actor.may(Right.EXPORT)
    return {
        "views": make_saved_view_bar(services.views_for_list_page(actor), filters, actor=actor),
        "found": finding_summary(finding, zone=viewer.zone) if finding else None,
        "is_ticket": finding is None and recognize_identifiers(filters.q).is_ticket,
        "export_url": filters.url(name="order_export") if may_export else "",
    }


def _address_headers(request: Request, wanted: ListRequest) -> dict[str, str]:
    """Return the header with the URL that htmx shows for a submitted filter form."""
    return {"HX-Push-Url": wanted.filters.url()} if htmx_source_id(request) == _FORM else {}


def _filter_form(wanted: ListRequest) -> SafeString:
    """Return the form's markup, cached for equal filters because its rendering is slow."""
    viewer, order = wanted.viewer, wanted.asked.query.order
    zone = formats.zone_in_words(viewer.zone, viewer.now)
    form, labels = wanted.form, services.common_labels(now=viewer.now)
    if form.errors:
        controls = make_filter_controls(
            wanted.filters, order=order, labels=labels, typed=form.data, wrong=form.errors
        )
        return _render_form(controls, zone)
    return _cached_form(wanted.filters, order, labels, zone)


@lru_cache(maxsize=256)
def _cached_form(filters: Filters, order: Sort, labels: CommonLabels, zone: str) -> SafeString:
    typed = dict(filters.non_default_params())
    controls = make_filter_controls(filters, order=order, labels=labels, typed=typed)
    return _render_form(controls, zone)


def _render_form(controls: FilterControls, zone: str) -> SafeString:
    return render_to_string("orders/filters.html", {"controls": controls, "zone": zone})
