"""The page of an order, and the fragments that show one: the detail and the row of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import shortcuts
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from goody.types import Order as GoodyOrder
from orders import search, services, sync
from orders.audit import Right
from orders.models import Operation, State
from orders.outcomes import outcome_message
from orders.presenters.elements import Toast
from orders.presenters.operations import operation_url, poll_token, recent_failure, undo_url
from orders.presenters.order_page import READ, make_header, make_order_detail, view_token
from orders.presenters.order_sections import shown_recipient
from orders.presenters.related import (
    NeighborLinks,
    RelatedOrders,
    neighbor_links,
    related_orders,
)
from orders.presenters.rows import RowBuilder
from orders.search import SearchTimeout
from orders.services import FindingNotFound, OrderWithOperations, access
from orders.viewer import Request, Viewer

from .concurrency import GOODY_READ, in_concurrency_group
from .http import (
    choose_partial,
    htmx_target_id,
    render_page_or_partial,
    requires_right,
    runs_script,
)
from .list_request import ListRequest, parse_list_parameters

TEMPLATE = "orders/detail.html"
_FRAGMENTS = {"order-detail": "detail", "order-": "row"}


@in_concurrency_group(GET=GOODY_READ, has_copy=True)
@require_safe
@requires_right(Right.READ)
def order_detail(request: Request, order_id: UUID) -> HttpResponseBase:
    """Show an order from Goody, or our copy if the browser's script then loads Goody's answer.

    Fragments that poll while a write is open read our copy.
    """
    is_row = choose_partial(htmx_target_id(request), _FRAGMENTS) == "row"
    is_poll = is_row or "poll" in request.GET
    is_page = runs_script(request) and not htmx_target_id(request) and READ not in request.GET
    view = services.stored_order(order_id) if is_poll or is_page else None
    is_waiting = is_page and view is not None
    if view is None:
        view = services.refresh_order(order_id=order_id, now=request.viewer.now)
    if is_poll and request.GET.get("poll") == poll_token(view.pending, request.viewer.now):
        # Keeps what the reader has unfolded or selected.
        return HttpResponse(status=204)
    if is_row:
        return HttpResponse(order_row_fragment(request, view) + success_toast(request, view))
    if request.GET.get(READ) == view_token(view, request.viewer) and htmx_target_id(request):
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
    """Record that the person read the order, and the raw JSON if it is not folded.

    With our script it is folded, and the browser reports by `order_access` when it is unfolded.
    """
    viewer = request.viewer
    kinds = [access.Kind.ORDER]
    if viewer.actor.may(Right.READ_RAW) and not runs_script(request):
        kinds.append(access.Kind.RAW)
    for kind in kinds:
        access.record_access(actor=viewer.actor, kind=kind, order_id=view.order.id, now=viewer.now)


@require_POST
@requires_right(Right.COPY_GIFT_LINK)
def order_access(request: Request, order_id: UUID) -> HttpResponseBase:
    """Record an access that only the browser observes: a copied link, unfolded raw JSON."""
    kind = request.POST.get("kind", "")
    if kind not in access.Kind.values:
        return HttpResponse(status=422)
    viewer = request.viewer
    access.record_access(
        actor=viewer.actor, kind=access.Kind(kind), order_id=order_id, now=viewer.now
    )
    return HttpResponse(status=204)


def _unchanged(request: Request, view: OrderWithOperations) -> HttpResponse:
    """Return only the time of the read, so that unfolded sections and selections are kept."""
    as_of = make_header(view, viewer=request.viewer).as_of
    response = shortcuts.render(request, f"{TEMPLATE}#as_of", {"as_of": as_of, "is_oob": True})
    response["HX-Reswap"] = "none"
    return response


def order_detail_context(
    request: Request, view: OrderWithOperations, *, is_waiting: bool = False
) -> dict[str, Any]:
    """Return the template context. `is_waiting`: the page shows our copy until Goody answers."""
    viewer = request.viewer
    waiting = view.pending
    detail = make_order_detail(
        view,
        viewer=viewer,
        undoable=undoable_operation_ids(viewer, view.operations),
        read_token=view_token(view, viewer) if is_waiting else "",
        is_worker_missing=waiting is not None
        and services.is_worker_missing(waiting, now=viewer.now),
    )
    related = _related_orders(view.order, viewer)
    return {"detail": detail, "related": related, "next_url": viewer.next_url}


def undoable_operation_ids(viewer: Viewer, operations: Sequence[Operation]) -> set[UUID]:
    """Return the operations that the viewer may undo: none while another one is open."""
    if not viewer.actor.may(Right.EXTEND) or any(one.is_open for one in operations):
        return set()
    return {one.id for one in operations if services.may_undo_extension(one, now=viewer.now)}


# --- from the index ---------------------------------------------------------------------------
# These are left out of the page if the search takes too long.


def _list_context(request: Request, order_id: UUID) -> dict[str, Any]:
    """Return the list from which the order was opened, and the order's neighbors in it."""
    viewer = request.viewer
    is_list = viewer.next_url.partition("?")[0] == reverse("order_list")
    neighbors = None
    if is_list and request.GET.get("next"):
        neighbors = _neighbor_links(viewer, order_id)
    # The fragment scrolls to the row.
    back_url = f"{viewer.next_url}#order-{order_id}" if is_list else viewer.next_url
    return {"neighbors": neighbors, "back_url": back_url}


def _neighbor_links(viewer: Viewer, order_id: UUID) -> NeighborLinks | None:
    """Return links to the neighbors; None if the order's position in the list is not known."""
    try:
        wanted = _index_list(viewer)
        if wanted is None:
            return None
        found = search.find_neighbors(
            wanted.asked.query, order_id, now=viewer.now, seconds=settings.RELATED_DEADLINE
        )
    except (SearchTimeout, FindingNotFound):
        return None
    return neighbor_links(found, next_url=viewer.next_url) if found else None


def _index_list(viewer: Viewer) -> ListRequest | None:
    """Return the list at `next_url`; None if it is invalid or not answered from the index."""
    path, _, parameters = viewer.next_url.partition("#")[0].partition("?")
    if path != reverse("order_list"):
        return None
    wanted = parse_list_parameters(QueryDict(parameters), viewer=viewer)
    if not wanted.is_valid:
        return None
    is_live = wanted.filters.is_answerable_live and not sync.read_progress(viewer.now).is_complete
    return None if is_live else wanted


def _related_orders(order: GoodyOrder, viewer: Viewer) -> list[RelatedOrders]:
    try:
        found = search.find_related_orders(
            order.id, now=viewer.now, seconds=settings.RELATED_DEADLINE
        )
    except SearchTimeout:
        return []
    if found is None:
        return []
    groups = filter(None, (found.batch, found.email, found.sender))
    listed = services.add_operations([hit for group in groups for hit in group.hits])
    return related_orders(found, order, listed={one.hit.uuid: one for one in listed}, viewer=viewer)


# --- fragments --------------------------------------------------------------------------------


def order_detail_fragment(request: Request, view: OrderWithOperations) -> str:
    """Return the element #order-detail."""
    return render_to_string(f"{TEMPLATE}#detail", order_detail_context(request, view), request)


def order_row_fragment(request: Request, view: OrderWithOperations) -> str:
    """Return the row of a list, with the reason if a write on the order has just failed."""
    viewer = request.viewer
    row = RowBuilder(viewer, next_url=viewer.next_url).row(
        services.listed_order(view), failed=recent_failure(view.operations, viewer.now)
    )
    return render_to_string("orders/list.html#row", {"row": row}, request)


def success_toast(request: Request, view: OrderWithOperations) -> str:
    """Return the toast for a poll in which the write is applied; "" otherwise.

    A failure is shown in the row or above the order instead, where it remains.
    """
    newest = view.operations[0] if view.operations else None
    is_applied = newest is not None and newest.state == State.APPLIED
    if newest is None or not is_applied or newest.contradicted_at or view.operation is not None:
        return ""
    return outcome_toast_fragment(request, newest, view.order)


def outcome_toast_fragment(request: Request, operation: Operation, order: GoodyOrder) -> str:
    """Return the outcome of an operation as an out-of-band toast, with Undo if possible.

    It contains the recipient because toasts of several orders may be visible.
    """
    viewer = request.viewer
    message = outcome_message(operation, now=viewer.now, zone=viewer.zone)
    may_undo = viewer.actor.may(Right.EXTEND) and services.may_undo_extension(
        operation, now=viewer.now
    )
    toast = Toast(
        tone=message.tone,
        title=f"{message.title}: {shown_recipient(order)}",
        sentence=message.sentence,
        action_url=undo_url(operation, viewer.next_url) if may_undo else "",
        action_label="Undo" if may_undo else "",
        link_url=operation_url(operation, viewer.next_url),
        link_label="Details",
        about=str(operation.order_uuid),
    )
    return render_to_string("orders/operation.html#toast", {"toast": toast}, request)
