"""The page of an order, and the fragments that show one: the detail and the row of a list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import shortcuts
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from goody.types import Order as GoodyOrder
from orders import search, services, sync
from orders.bulk.selections import SelectionNotFound
from orders.forms.listing import parse_filters
from orders.list_url import saved_query_string
from orders.models import Operation, State
from orders.outcomes import outcome_message
from orders.presenters.bulk_bar import may_select
from orders.presenters.columns import shown_columns
from orders.presenters.elements import Link, Toast
from orders.presenters.list_views import current_preset
from orders.presenters.operations import operation_url, poll_token, recent_failure, undo_form
from orders.presenters.order_head import make_header
from orders.presenters.order_page import READ, make_order_detail, make_raw_values, order_page_token
from orders.presenters.order_sections import displayed_recipient
from orders.presenters.related import (
    NeighborLinks,
    list_name,
    make_recipient_history,
    neighbor_links,
    related_orders,
)
from orders.presenters.rows import RowBuilder, shows_action_column
from orders.rights import Right
from orders.search import SearchTimeout
from orders.services import FindingNotFound, OrderWithOperations, access_records
from orders.viewer import Request, Viewer

from .concurrency import GOODY_READ, in_concurrency_group
from .http import (
    browser_runs_script,
    choose_partial,
    htmx_target_id,
    render_page_or_partial,
    requires_right,
)
from .list_request import ListRequest, parse_list_parameters

TEMPLATE = "orders/detail.html"
_FRAGMENTS = {"order-detail": "detail", "order-": "row"}


@in_concurrency_group(GET=GOODY_READ, has_copy=True)
@require_safe
@requires_right(Right.READ)
def order_detail(request: Request, order_id: UUID) -> HttpResponseBase:
    """Show a fresh read of an order, or the stored copy if the script then loads a fresh read.

    Polls while a write is open show the stored copy.
    """
    is_row = choose_partial(htmx_target_id(request), _FRAGMENTS) == "row"
    is_poll = is_row or "poll" in request.GET
    is_page = (
        browser_runs_script(request) and not htmx_target_id(request) and READ not in request.GET
    )
    view = services.stored_order(order_id) if is_poll or is_page else None
    is_waiting = is_page and view is not None
    if view is None:
        view = services.refresh_order(order_id=order_id, now=request.viewer.now)
    token = poll_token(view.pending_operation, request.viewer.now, job=view.job)
    if is_poll and request.GET.get("poll") == token:
        # Keeps the sections that the reader has expanded, and the selected text.
        return HttpResponse(status=204)
    if is_row:
        return HttpResponse(order_row_fragment(request, view) + success_toast(request, view))
    if request.GET.get(READ) == order_page_token(view, request.viewer) and htmx_target_id(request):
        return _unchanged(request, view)
    context = order_detail_context(request, view, is_waiting=is_waiting)
    if not htmx_target_id(request):
        context |= _list_context(request, order_id)
    _record_reading(request, view)
    response = render_page_or_partial(request, TEMPLATE, context, {"order-detail": "detail"})
    if is_poll and htmx_target_id(request) == "order-detail":
        response.write(success_toast(request, view))
    return response


def _record_reading(request: Request, view: OrderWithOperations) -> None:
    """Record that the person read the order, and without the script also the raw JSON.

    With the script the JSON is collapsed, and the browser reports to `order_access` when it is
    expanded.
    """
    viewer = request.viewer
    kinds = [access_records.Kind.ORDER]
    if viewer.actor.may(Right.READ_RAW) and not browser_runs_script(request):
        kinds.append(access_records.Kind.RAW)
    for kind in kinds:
        access_records.record_access(
            actor=viewer.actor, kind=kind, order_id=view.order.id, now=viewer.now
        )


@require_POST
@requires_right(Right.COPY_GIFT_LINK)
def order_access(request: Request, order_id: UUID) -> HttpResponseBase:
    """Record an access that only the browser can report: a copied link, expanded raw JSON."""
    kind = request.POST.get("kind", "")
    if kind not in access_records.Kind.values:
        return HttpResponse(status=422)
    viewer = request.viewer
    access_records.record_access(
        actor=viewer.actor, kind=access_records.Kind(kind), order_id=order_id, now=viewer.now
    )
    return HttpResponse(status=204)


def _unchanged(request: Request, view: OrderWithOperations) -> HttpResponse:
    """Return only the time of the read, so that expanded sections and selected text stay."""
    as_of = make_header(view, viewer=request.viewer).as_of
    response = shortcuts.render(request, f"{TEMPLATE}#as_of", {"as_of": as_of, "is_oob": True})
    response["HX-Reswap"] = "none"
    return response


def order_detail_context(
    request: Request, view: OrderWithOperations, *, is_waiting: bool = False
) -> dict[str, Any]:
    """Return the template context. `is_waiting`: the stored copy is shown until Goody answers."""
    viewer = request.viewer
    waiting = view.pending_operation
    detail = make_order_detail(
        view,
        viewer=viewer,
        undoable=undoable_operation_ids(viewer, view.operations),
        read_token=order_page_token(view, viewer) if is_waiting else "",
        is_worker_missing=waiting is not None
        and services.is_worker_missing(waiting, now=viewer.now),
    )
    return {
        "detail": detail,
        "next_url": viewer.next_url,
        **_related_context(view.order, viewer),
    }


def undoable_operation_ids(viewer: Viewer, operations: Sequence[Operation]) -> set[UUID]:
    """Return the ids of the operations that the viewer may undo; none while a write is open."""
    if not viewer.actor.may(Right.EXTEND) or any(one.is_open for one in operations):
        return set()
    return {one.id for one in operations if services.may_undo_extension(one, now=viewer.now)}


# --- from the index ---------------------------------------------------------------------------
# These are left out of the page if the search takes too long.


def _list_context(request: Request, order_id: UUID) -> dict[str, Any]:
    """Return the list from which the order was opened, and the order's neighbors in it."""
    viewer = request.viewer
    path = viewer.next_url.partition("?")[0]
    if path != reverse("order_list"):
        name = "Audit" if path == reverse("audit") else "Back"
        return {"neighbors": None, "back": Link(name, viewer.next_url)}
    name, neighbors = "Orders", None
    with suppress(SearchTimeout, FindingNotFound, SelectionNotFound):
        list_request = _list_at(viewer.next_url, viewer)
        name = _name_of(list_request, viewer) if list_request.is_valid else name
        if viewer.given_next_url:
            neighbors = _neighbor_links(list_request, order_id, viewer)
    # The fragment scrolls to the row.
    return {"neighbors": neighbors, "back": Link(name, f"{viewer.next_url}#order-{order_id}")}


def _list_at(url: str, viewer: Viewer) -> ListRequest:
    parameters = url.partition("#")[0].partition("?")[2]
    return parse_list_parameters(QueryDict(parameters), viewer=viewer)


def _name_of(list_request: ListRequest, viewer: Viewer) -> str:
    filters = list_request.filters
    views = services.visible_views(viewer.actor) if filters.view is not None else []
    query = saved_query_string(filters)
    saved = next((one for one in views if one.pk == filters.view and one.query == query), None)
    view = saved or current_preset(filters)
    texts = [one.text for one in list_request.conditions()]
    return list_name(filters, texts, view_name=view.name if view else "")


def _neighbor_links(
    list_request: ListRequest, order_id: UUID, viewer: Viewer
) -> NeighborLinks | None:
    """Return links to the neighbors; None if the list is not answered from the index."""
    is_live = (
        list_request.filters.is_answerable_live and not sync.read_progress(viewer.now).is_complete
    )
    if is_live or not list_request.is_valid:
        return None
    found = search.find_neighbors(
        list_request.list_query.query, order_id, now=viewer.now, seconds=settings.RELATED_DEADLINE
    )
    return neighbor_links(found, next_url=viewer.next_url) if found else None


def _related_context(order: GoodyOrder, viewer: Viewer) -> dict[str, Any]:
    try:
        found = search.find_related_orders(
            order.id, now=viewer.now, seconds=settings.RELATED_DEADLINE
        )
    except SearchTimeout:
        found = None
    groups = filter(None, (found.batch, found.email, found.sender)) if found else ()
    hits = [hit for group in groups for hit in group.hits]
    listed = {one.hit.uuid: one for one in services.add_operations_to_hits(hits)}
    raw = make_raw_values(order, viewer)
    return {
        "customer": make_recipient_history(found, order, raw, listed=listed, viewer=viewer),
        "related": related_orders(found, order, listed=listed, viewer=viewer) if found else [],
        "may_select": may_select(viewer),
    }


# --- fragments --------------------------------------------------------------------------------


def order_detail_fragment(request: Request, view: OrderWithOperations) -> str:
    """Return the element #order-detail."""
    return render_to_string(f"{TEMPLATE}#detail", order_detail_context(request, view), request)


def order_row_fragment(request: Request, view: OrderWithOperations) -> str:
    """Return the row of a list; if a write on the order has just failed, with the reason."""
    viewer = request.viewer
    row = RowBuilder(viewer).build_row(
        services.listed_order(view), failed=recent_failure(view.operations, viewer.now)
    )
    filters = parse_filters(urlsplit(viewer.next_url).query)
    context = {
        "row": row,
        "columns": shown_columns(filters, viewer.profile),
        "has_actions": shows_action_column(viewer),
        "may_select": may_select(viewer),
    }
    return render_to_string("orders/list.html#row", context, request)


def success_toast(request: Request, view: OrderWithOperations) -> str:
    """Return the toast for a poll in which the write is applied; "" otherwise.

    A failure is shown in the row or above the order instead, where it remains.
    """
    newest = view.operations[0] if view.operations else None
    is_applied = newest is not None and newest.state == State.APPLIED
    if newest is None or not is_applied or newest.contradicted_at or view.operation is not None:
        return ""
    return outcome_toast(request, newest, view.order)


def outcome_toast(request: Request, operation: Operation, order: GoodyOrder) -> str:
    """Return the outcome of an operation as an out-of-band toast, with Undo if possible.

    It contains the recipient because toasts of several orders may be visible.
    """
    viewer = request.viewer
    message = outcome_message(operation, now=viewer.now, zone=viewer.zone)
    may_undo = viewer.actor.may(Right.EXTEND) and services.may_undo_extension(
        operation, now=viewer.now
    )
    undo = undo_form(operation, order, viewer.next_url) if may_undo else None
    toast = Toast(
        tone=message.tone,
        title=f"{message.title}: {displayed_recipient(order)}",
        sentence=message.sentence,
        link_url=operation_url(operation, viewer.next_url),
        link_label="Details",
        about=str(operation.order_uuid),
    )
    context = {"toast": toast, "undo": undo}
    return render_to_string("orders/operation.html#toast", context, request)
