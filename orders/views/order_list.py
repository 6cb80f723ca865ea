"""The list of orders: Goody's own list until the first import is complete, then the index.

A list that Goody's API cannot filter or sort is always answered from the index.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from goody.errors import GoodyError
from orders import formats, services
from orders.goody_api import CallsBlocked
from orders.list_columns import Columns
from orders.list_url import CHECKED_PARAMETER, PAGE
from orders.presenters import index_list
from orders.presenters.bulk_bar import BulkBar, make_bulk_bar, may_select
from orders.presenters.columns import column_heads, shown_columns
from orders.presenters.freshness import FreshnessNotes, import_banner, make_freshness_notes
from orders.presenters.list_page import EmptyList, ListPage, finding_summary
from orders.presenters.list_views import PRESETS, make_saved_view_bar
from orders.presenters.live_list import make_live_page
from orders.presenters.rows import shows_action_column
from orders.rights import Right
from orders.search import SearchTimeout
from orders.search.paste import recognize_identifiers
from orders.services import LivePage, OrderNotFound
from orders.sync import SyncProgress, is_first_run
from orders.viewer import Request

from .concurrency import page_call_slot
from .http import HttpResponseSeeOther, htmx_source_id, render_page_or_partial, requires_right
from .list_request import ListRequest, filter_controls, parse_list_request
from .list_suggestions import suggest_lists

TEMPLATE = "orders/list.html"
_FRAGMENTS = {"results": "results"}
# The form of the search box and that of the filters.
_FORMS = ("filters", "filter-form")


@require_safe
def home(request: Request) -> HttpResponse:
    """Redirect to the list, or to the setup page while there is nothing to list."""
    viewer = request.viewer
    is_setup = viewer.actor.may(Right.READ) and is_first_run(viewer.sync_progress)
    return redirect("setup" if is_setup else "order_list")


@require_safe
@requires_right(Right.READ)
def order_list(request: Request) -> HttpResponseBase:
    list_request = parse_list_request(request)
    if not list_request.is_valid:
        return _show(request, list_request, page=None, status=400)
    progress = request.viewer.sync_progress
    if not progress.is_complete and list_request.filters.is_answerable_live:
        return _live(request, list_request, progress)
    freshness = make_freshness_notes(progress, viewer=request.viewer)
    named = list_request.interpretation
    if named.order_id:
        return _redirect_to_order(request, named.order_id)
    if named.unknown_id:
        return _ask_goody(request, list_request, named.unknown_id, freshness)
    return _indexed(request, list_request, freshness)


# --- Goody's own list -------------------------------------------------------------------------


def _live(request: Request, list_request: ListRequest, progress: SyncProgress) -> HttpResponse:
    if number := list_request.form.cleaned_data.get("goto"):
        return _redirect_to_page(request, list_request, number)
    with page_call_slot():
        listing = _request_page(request, list_request)
    page = make_live_page(
        listing,
        viewer=request.viewer,
        filters=list_request.filters,
        position=list_request.live_position,
    )
    page = replace(page, banners=[*page.banners, *import_banner(progress)])
    return _show(request, list_request, page=page)


def _redirect_to_page(
    request: Request, list_request: ListRequest, number: int
) -> HttpResponseRedirect:
    position = replace(list_request.live_position.with_time_bound(request.viewer.now), page=number)
    return HttpResponseRedirect(list_request.filters.url(position=position.serialize()))


def _request_page(request: Request, list_request: ListRequest) -> LivePage:
    position = list_request.live_position
    after, before = list_request.filters.created_bounds(request.viewer.zone)
    return services.list_orders(
        page=position.page,
        per_page=list_request.filters.per_page,
        created_after=after,
        created_before=min(filter(None, (before, position.created_before)), default=None),
        now=request.viewer.now,
    )


# --- the index --------------------------------------------------------------------------------


def _indexed(
    request: Request, list_request: ListRequest, freshness: FreshnessNotes
) -> HttpResponse:
    list_query, position = list_request.list_query, list_request.list_query.position
    try:
        found = services.find_orders(
            list_query.query,
            size=list_query.filters.per_page,
            now=request.viewer.now,
            at=position.key if position else None,
            is_backwards=bool(position and position.is_backwards),
        )
    except SearchTimeout:
        why = index_list.empty_list_after_timeout(list_query.filters)
        return _show_empty(request, list_request, why, freshness)
    total = None if list_query.query.matches_all_orders else services.count_all_orders()
    page = index_list.index_page(
        found, list_query=list_query, freshness=freshness, viewer=request.viewer, total=total
    )
    return _show(request, list_request, page=page, freshness=freshness)


def _redirect_to_order(request: Request, order_id: UUID) -> HttpResponse:
    url = reverse("order_detail", args=[order_id])
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseSeeOther(url)


def _ask_goody(
    request: Request, list_request: ListRequest, order_id: UUID, freshness: FreshnessNotes
) -> HttpResponse:
    """Read an id from Goody that the index does not contain."""
    try:
        with page_call_slot():
            services.refresh_order(order_id=order_id, now=request.viewer.now)
    except OrderNotFound:
        why = index_list.empty_list_for_unknown_id(order_id)
    except (CallsBlocked, GoodyError) as error:
        why = index_list.empty_list_for_unread_id(order_id, services.stale_copy_reason(error))
    else:
        return _redirect_to_order(request, order_id)
    return _show_empty(request, list_request, why, freshness)


# --- responses --------------------------------------------------------------------------------


def _show_empty(
    request: Request, list_request: ListRequest, why: EmptyList, freshness: FreshnessNotes
) -> HttpResponse:
    page = index_list.page_without_rows(
        why, list_query=list_request.list_query, freshness=freshness
    )
    return _show(request, list_request, page=page, freshness=freshness)


def _show(
    request: Request,
    list_request: ListRequest,
    *,
    page: ListPage | None,
    freshness: FreshnessNotes | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the list. `freshness` is None for a page of Goody's own list."""
    if page and not page.rows and page.empty is None and freshness:
        why = index_list.explain_empty_page(
            list_request.list_query,
            list_request.conditions(),
            freshness,
            suggestions=partial(suggest_lists, list_request),
        )
        page = replace(page, empty=why, pager=None)
    viewer, filters, order = (
        request.viewer,
        list_request.filters,
        list_request.list_query.query.effective_sort,
    )
    shown = shown_columns(filters, viewer.profile)
    context = {
        "filters": filters,
        "params": [(name, value) for name, value in filters.non_default_params() if name != "q"],
        "bar": list_request.filter_bar(),
        "columns": shown,
        "has_actions": shows_action_column(viewer),
        "may_select": may_select(viewer),
        "bulk_bar": _bulk_bar(request, list_request, page, is_indexed=freshness is not None),
        "heads": column_heads(filters, columns=shown, order=order),
        "page": page,
        "sentences": list_request.errors,
        "controls": None if list_request.is_valid else filter_controls(list_request),
        "zone": formats.zone_in_words(viewer.zone, viewer.now),
        **_tools(request, list_request, columns=shown, is_indexed=freshness is not None),
    }
    response = render_page_or_partial(request, TEMPLATE, context, _FRAGMENTS, status=status)
    for name, value in _address_headers(request, list_request).items():
        response[name] = value
    return response


def _bulk_bar(
    request: Request, list_request: ListRequest, page: ListPage | None, *, is_indexed: bool
) -> BulkBar | None:
    """Return the form around the rows; None if there are none or the person may not select."""
    if page is None or not page.rows or not may_select(request.viewer):
        return None
    return make_bulk_bar(
        list_request.filters,
        url=page.url,
        rows=len(page.rows),
        viewer=request.viewer,
        count=page.match_count,
        has_other_pages=is_indexed and page.pager is not None,
        is_page_checked=request.GET.get(CHECKED_PARAMETER) == PAGE,
    )


def _tools(
    request: Request, list_request: ListRequest, *, columns: Columns, is_indexed: bool
) -> dict[str, Any]:
    """Return the context of the part above the list: views, finding summary, download."""
    viewer, filters, finding = request.viewer, list_request.filters, list_request.finding
    actor = viewer.actor
    may_export = is_indexed and actor.may(Right.EXPORT)
    # While the first import runs, the index holds only some of the orders.
    keys = [one.key for one in PRESETS if one.is_counted]
    counts, are_fresh = (
        services.cached_preset_counts(keys) if viewer.sync_progress.is_complete else ({}, True)
    )
    return {
        "views": make_saved_view_bar(
            services.views_for_list_page(actor),
            filters,
            columns=columns,
            actor=actor,
            counts=counts,
            are_counts_known=are_fresh,
        ),
        "found": finding_summary(finding, zone=viewer.zone) if finding else None,
        "is_ticket": finding is None and recognize_identifiers(filters.q).is_ticket,
        "export_url": filters.url(name="order_export") if may_export else "",
        "columns_url": filters.url(name="order_columns"),
    }


def _address_headers(request: Request, list_request: ListRequest) -> dict[str, str]:
    """Return the header with the URL that htmx shows for a submitted form."""
    return {"HX-Push-Url": list_request.filters.url()} if htmx_source_id(request) in _FORMS else {}
