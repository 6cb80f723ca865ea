"""Parts of the list with their own URLs: counts, changes, suggestions, the CSV export."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from orders import formats, services
from orders.list_columns import (
    DEFAULT_COLUMNS,
    Columns,
    move_column,
    parse_columns,
    serialize_columns,
)
from orders.models import Label, Profile
from orders.presenters.columns import column_choices, shown_columns
from orders.presenters.condition_texts import OPERATOR_HINTS
from orders.presenters.csv_files import order_csv_chunks
from orders.presenters.filter_form import common_names_with_counts, option_counts
from orders.presenters.list_views import MAX_COUNT, PRESETS, tab_counts
from orders.presenters.page_changes import InvalidPageToken, compare_pages, parse_page_token
from orders.rights import Right
from orders.search import SearchTimeout, count_facets, find_page, labels
from orders.viewer import Request

from .concurrency import DOWNLOAD, in_concurrency_group
from .http import HttpResponseSeeOther, render_page_or_partial, requires_right
from .list_request import filter_controls, parse_list_request
from .order_list import TEMPLATE

_MAX_SUGGESTIONS = 30


@require_safe
@requires_right(Right.READ)
def order_facets(request: Request) -> HttpResponse:
    """Return the number of orders for each filter option; 204 if counting takes too long."""
    try:
        list_request = parse_list_request(request)
        found = count_facets(
            list_request.list_query.query, now=request.viewer.now, seconds=settings.COUNTS_DEADLINE
        )
        named = (*found.workspaces, *found.senders, *found.brands, *found.products)
        keys = labels.find_label_keys(one.id for one in named)
    except SearchTimeout:
        return HttpResponse(status=204)
    context = {
        "counts": option_counts(found),
        "tops": common_names_with_counts(found, filters=list_request.filters, keys=keys),
    }
    return render(request, "orders/filters.html#facets", context)


@require_safe
@requires_right(Right.READ)
def order_filters(request: Request) -> HttpResponse:
    """Show the filters of a list, as a page or as the popovers of the filter bar."""
    list_request, viewer = parse_list_request(request), request.viewer
    context = {
        "controls": filter_controls(list_request),
        "zone": formats.zone_in_words(viewer.zone, viewer.now),
        "facets_url": list_request.filters.url(name="order_facets"),
        "list_url": list_request.filters.url(),
        "sentences": list_request.errors,
    }
    return render_page_or_partial(
        request, "orders/filters.html", context, {"filter-panels": "panels"}
    )


@require_safe
@requires_right(Right.READ)
def order_help(request: Request) -> HttpResponse:
    """Explain the search box, as a page or as a popover below it."""
    return render_page_or_partial(
        request, "orders/help.html", {"hints": OPERATOR_HINTS}, {"search-help": "panel"}
    )


@require_safe
@requires_right(Right.READ)
def order_counts(request: Request) -> HttpResponse:
    """Return the numbers of orders of the presets."""
    viewer = request.viewer
    queries = {
        one.key: one.filters.query(viewer.clock, labels.find_label_id)
        for one in PRESETS
        if one.is_counted
    }
    counts = services.count_presets(queries, limit=MAX_COUNT, now=viewer.now)
    return render(request, f"{TEMPLATE}#tab_counts", {"counts": tab_counts(counts)})


@require_safe
@requires_right(Right.READ)
def count_page_changes(request: Request) -> HttpResponse:
    """Return the number of orders of a page that changed since it was shown, for polls."""
    try:
        list_query = parse_list_request(request).list_query
        shown = parse_page_token(request.GET.get("poll", ""))
        page = find_page(
            list_query.query,
            size=list_query.filters.per_page,
            now=request.viewer.now,
            at=list_query.position.key if list_query.position else None,
            backwards=bool(list_query.position and list_query.position.is_backwards),
        )
    except (InvalidPageToken, SearchTimeout):
        return HttpResponse(status=204)
    context = {
        "changes": compare_pages(shown, page.hits).text,
        "url": list_query.url,
        "changes_url": request.get_full_path(),
    }
    return render(request, f"{TEMPLATE}#changes", context)


@require_safe
@requires_right(Right.READ)
def order_choices(request: Request, kind: str) -> HttpResponse:
    """Return the names that contain the text in a filter's field; 204 if that takes too long."""
    if kind not in Label.Kind.values:
        raise Http404
    try:
        names = labels.suggest_labels(kind, request.GET.get(kind, ""), limit=_MAX_SUGGESTIONS)
    except SearchTimeout:
        return HttpResponse(status=204)
    return render(request, "orders/filters.html#choices", {"choices": names})


@in_concurrency_group(GET=DOWNLOAD)
@require_GET
@requires_right(Right.EXPORT)
def order_export(request: Request) -> HttpResponseBase:
    """Stream the whole list with the same parameters as CSV."""
    list_request, viewer = parse_list_request(request), request.viewer
    if not list_request.is_valid:
        # The list shows the errors.
        return HttpResponseSeeOther(f"{reverse('order_list')}?{request.GET.urlencode()}")
    filters = "; ".join(one.text for one in list_request.conditions()) or "All orders"
    intent = services.start_export(actor=viewer.actor, filters=filters, now=viewer.now)
    hits = services.export_orders(intent, list_request.list_query.query, now=viewer.now)
    name = f"orders-{formats.convert_to_zone(viewer.now, viewer.zone):%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        order_csv_chunks(hits),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


_MOVES = {"up": -1, "down": 1}


@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.READ)
def order_columns(request: Request) -> HttpResponseBase:
    """Show the form to choose the columns of a list; a POST redirects to the list with the columns.

    They become the person's columns for all lists, except those of a saved view, which has its own.
    Without the script, each button that moves a column submits the form and shows it again.
    """
    filters = parse_list_request(request).filters
    if request.method != "POST":
        return _show_columns(request, shown_columns(filters, request.viewer.profile))
    posted = _posted(request, "columns") or DEFAULT_COLUMNS
    order = _posted(request, "order")
    for button, by in _MOVES.items():
        if (name := request.POST.get(button)) in order:
            return _show_columns(request, posted, order=move_column(order, str(name), by=by))
    chosen = DEFAULT_COLUMNS if "reset" in request.POST else posted
    if filters.view is not None:
        # Named even if they are the default ones: without them, the list has the person's own.
        return HttpResponseSeeOther(filters.replace(columns=",".join(chosen)).url())
    Profile.objects.choose_columns(request.viewer.profile, serialize_columns(chosen))
    return HttpResponseSeeOther(filters.replace(columns="").url())


def _posted(request: Request, name: str) -> Columns:
    return parse_columns(",".join(request.POST.getlist(name)))


def _show_columns(request: Request, shown: Columns, *, order: Columns = ()) -> HttpResponse:
    filters = parse_list_request(request).filters
    context = {
        "choices": column_choices(shown, order=order),
        "form_url": filters.url(name="order_columns"),
        "list_url": filters.url(),
        "is_of_view": filters.view is not None,
    }
    return render_page_or_partial(
        request, "orders/columns.html", context, {"columns-panel": "panel"}
    )
