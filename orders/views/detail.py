"""An order's page. Its parts are re-read by htmx: the detail as a whole, or the list's row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from goody.types import Order as GoodyOrder
from orders import services
from orders.audit import Right
from orders.models import Operation, State
from orders.outcomes import tell
from orders.presenters.detail import Reader, present
from orders.presenters.marks import Toast
from orders.presenters.operations import lately_failed, operation_url, poll_token, undo_url
from orders.presenters.parts import recipient
from orders.presenters.rows import row_context
from orders.services import ListedOrder, OrderView

from .beside import likes_of, walk_of
from .fragments import chosen_partial, render, target_of
from .permissions import requires

TEMPLATE = "orders/detail.html"
FRAGMENTS = {"order-detail": "detail", "order-": "row"}


@require_safe
@requires(Right.READ)
def order_detail(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    """Read from Goody; a part that polls while a write is open is fed from our copy."""
    is_row = chosen_partial(target_of(request), FRAGMENTS) == "row"
    is_poll = is_row or "poll" in request.GET
    view = services.stored_order(order_id) if is_poll else None
    if view is None:
        view = services.refresh_order(order_id=order_id, now=request.viewer.now)
    if is_poll and request.GET.get("poll") == poll_token(view.operation, request.viewer.now):
        # Nothing new: what somebody has unfolded or is reading stays as it is.
        return HttpResponse(status=204)
    if is_row:
        return HttpResponse(row_part(request, view) + success_toast(request, view))
    context = detail_context(request, view)
    if not target_of(request):
        context |= _place_in_list(request, order_id)
    answer = render(request, TEMPLATE, context, {"order-detail": "detail"})
    if is_poll and target_of(request) == "order-detail":
        answer.write(success_toast(request, view))
    return answer


def next_url(request: HttpRequest) -> str:
    """The list to come back to, as the request names it; the plain list otherwise.

    Only a path of this site is believed.
    """
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("order_list")


def _place_in_list(request: HttpRequest, order_id: UUID) -> dict[str, Any]:
    """Where the order was opened from, and what stands beside it there."""
    reader = reader_of(request)
    is_list = reader.next_url.partition("?")[0] == reverse("order_list")
    walk = None
    if is_list and request.GET.get("next"):
        walk = walk_of(reader.next_url, order_id, viewer=request.viewer, reader=reader)
    # At its row, which the browser shows and marks.
    back_url = f"{reader.next_url}#order-{order_id}" if is_list else reader.next_url
    return {"walk": walk, "back_url": back_url}


def reader_of(request: HttpRequest) -> Reader:
    viewer = request.viewer
    return Reader(viewer.actor, viewer.zone, viewer.now, next_url(request))


def undoable(request: HttpRequest, operations: Any) -> set[UUID]:
    """Ids of those that this person may undo: none while another write is open."""
    if not request.viewer.actor.may(Right.EXTEND) or any(one.is_open for one in operations):
        return set()
    return {one.id for one in operations if services.may_undo(one, now=request.viewer.now)}


def detail_context(request: HttpRequest, view: OrderView) -> dict[str, Any]:
    reader = reader_of(request)
    detail = present(view, reader=reader, undoable=undoable(request, view.operations))
    likes = likes_of(view.order, reader=reader)
    return {"detail": detail, "likes": likes, "next_url": reader.next_url}


def detail_part(request: HttpRequest, view: OrderView) -> str:
    """The element #order-detail."""
    return render_to_string(f"{TEMPLATE}#detail", detail_context(request, view), request)


def row_part(request: HttpRequest, view: OrderView) -> str:
    """The list's row of the order."""
    times = view.order.event_times
    listed = ListedOrder(
        order=view.order,
        created_at=times.created_at if times else None,
        operation=view.operation,
        is_cancel_on_record=view.is_cancel_on_record,
        is_missing=view.is_missing,
    )
    context = row_context(
        listed,
        viewer=request.viewer,
        next_url=next_url(request),
        failed=lately_failed(view.operations, request.viewer.now),
    )
    return render_to_string("orders/list.html#row", context, request)


def success_toast(request: HttpRequest, view: OrderView) -> str:
    """A toast for a poll that finds the write it waited for applied; "" otherwise.

    A failure is told in the row or above the order, where it stays.
    """
    newest = view.operations[0] if view.operations else None
    if newest is None or newest.state != State.APPLIED or view.operation is not None:
        return ""
    return toast_part(request, newest, view.order)


def toast_part(request: HttpRequest, operation: Operation, order: GoodyOrder) -> str:
    """An operation's outcome as an out-of-band toast, with Undo where there is one. It names whose
    gift it was: two of them may stand side by side.
    """
    viewer = request.viewer
    telling = tell(operation, now=viewer.now, zone=viewer.zone)
    may_undo = viewer.actor.may(Right.EXTEND) and services.may_undo(operation, now=viewer.now)
    toast = Toast(
        tone=telling.tone,
        title=f"{telling.title}: {recipient(order)}",
        sentence=telling.sentence,
        action_url=undo_url(operation, next_url(request)) if may_undo else "",
        action_label="Undo" if may_undo else "",
        link_url=operation_url(operation, next_url(request)),
        link_label="Details",
        about=str(operation.order_uuid),
    )
    return render_to_string("orders/operation.html#toast", {"toast": toast}, request)
