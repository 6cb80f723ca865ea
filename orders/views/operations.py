"""The page of an operation, its undo, and settling it by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from orders import services
from orders.audit import Action
from orders.forms.writes import SettleForm, WriteForm
from orders.models import Operation
from orders.presenters import dialogs
from orders.presenters.audit import settlement_entry
from orders.presenters.elements import Banner, LabeledValue
from orders.presenters.operations import UndoForm, make_operation_texts, operation_url, undo_form
from orders.rights import Right
from orders.services import NotSettleable, OperationWithOrder, OrderWithOperations
from orders.viewer import Request, Viewer

from .concurrency import GOODY_WRITE, in_concurrency_group
from .http import render_page_or_partial, requires_right
from .order import undoable_operation_ids
from .write_responses import (
    EXPIRATION,
    redirect_to_operation,
    respond_with_dialog_banner,
    send_and_respond,
)

_UNDO_UNVERIFIED = Banner(
    tone="warn",
    title="This Undo can no longer be used",
    sentence="What the page showed cannot be verified. Nothing was sent.",
    next_step="Open the order's page and undo the change there.",
)

_NOT_UNDOABLE = Banner(
    tone="warn",
    title="This change cannot be undone",
    sentence="Nothing was sent.",
    next_step="The expiration can still be changed to another date.",
)


@require_safe
@requires_right(Right.READ)
def operation_page(request: Request, order_id: UUID, operation_id: UUID) -> HttpResponseBase:
    """Show the page of an operation. Its polls read the row and never call Goody."""
    operation, view = _find_or_404(order_id, operation_id)
    services.acknowledge_notice(operation, actor=request.viewer.actor)
    return _operation_page(request, operation, view, SettleForm(is_cancel=_is_cancel(operation)))


@in_concurrency_group(POST=GOODY_WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.EXTEND)
def operation_undo(request: Request, order_id: UUID, operation_id: UUID) -> HttpResponseBase:
    """Restore the expiration before an extension. A GET (after a login) redirects to the order."""
    operation = get_object_or_404(Operation, pk=operation_id, order_uuid=order_id)
    if request.method != "POST":
        return redirect(dialogs.order_url(order_id, request.viewer.next_url))
    form = WriteForm(request.POST, order_id=order_id)
    if operation.expires_before is None:
        return respond_with_dialog_banner(
            request, order_id, _NOT_UNDOABLE, name=EXPIRATION, status=422
        )
    if not form.is_valid():
        return respond_with_dialog_banner(
            request, order_id, _UNDO_UNVERIFIED, name=EXPIRATION, status=422
        )
    data, expiration = form.cleaned_data, operation.expires_before

    def send() -> Operation:
        return services.extend_order(
            actor=request.viewer.actor,
            order_id=order_id,
            snapshot=data["snapshot"],
            form_key=data["form_key"],
            expiration=expiration,
            may_shorten=True,
            reason="",
            ticket="",
            undoes=operation.id,
            now=request.viewer.now,
        )

    return send_and_respond(request, order_id, send, name=EXPIRATION)


@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.SETTLE)
def operation_settle(request: Request, order_id: UUID, operation_id: UUID) -> HttpResponseBase:
    """Record the outcome that a lead saw at Goody. A GET, as after a login, shows the form."""
    operation, view = _find_or_404(order_id, operation_id)
    if request.method != "POST":
        return redirect(operation_url(operation, request.viewer.next_url))
    form = SettleForm(request.POST, is_cancel=_is_cancel(operation))
    if not form.is_valid():
        return _operation_page(request, operation, view, form, status=422)
    try:
        settled = services.settle_by_hand(
            actor=request.viewer.actor,
            operation_id=operation.id,
            is_applied=form.cleaned_data["is_applied"],
            note=form.cleaned_data["note"],
            now=request.viewer.now,
        )
    except NotSettleable:
        operation, view = _find_or_404(order_id, operation_id)
        return _operation_page(request, operation, view, form, status=409, is_settled_already=True)
    return redirect_to_operation(request, settled)


def _find_or_404(order_id: UUID, operation_id: UUID) -> OperationWithOrder:
    found = services.find_operation(order_id, operation_id)
    if found is None:
        raise Http404
    return found


def _is_cancel(operation: Operation) -> bool:
    return operation.action == Action.ORDER_CANCEL


def _operation_page(
    request: Request,
    operation: Operation,
    view: OrderWithOperations | None,
    form: SettleForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = _operation_context(request, operation, view) | {"form": form} | more
    return render_page_or_partial(
        request, "orders/operation.html", context, {"operation": "state"}, status=status
    )


def _operation_context(
    request: Request, operation: Operation, view: OrderWithOperations | None
) -> dict[str, Any]:
    viewer = request.viewer
    shown = make_operation_texts(
        operation,
        now=viewer.now,
        zone=viewer.zone,
        undo=_undo(viewer, view, operation),
        next_url=viewer.next_url,
        is_worker_missing=services.is_worker_missing(operation, now=viewer.now),
    )
    may_ask = viewer.actor.may(Right.CANCEL if shown.is_cancel else Right.EXTEND)
    return {
        "operation": shown,
        "again_url": shown.again_url if may_ask else "",
        "head": dialogs.operation_page_header(view, viewer=viewer),
        "next_url": viewer.next_url,
        "order_url": dialogs.order_url(operation.order_uuid, viewer.next_url),
        "may_settle": shown.needs_human and viewer.actor.may(Right.SETTLE),
        "settle_url": dialogs.settle_url(operation),
        "settled": _settled_by(operation),
    }


def _undo(
    viewer: Viewer, view: OrderWithOperations | None, operation: Operation
) -> UndoForm | None:
    if view is None or operation.id not in undoable_operation_ids(viewer, view.operations):
        return None
    return undo_form(operation, view.order, viewer.next_url)


def _settled_by(operation: Operation) -> list[LabeledValue]:
    """Return the observation that a lead recorded, from the audit."""
    entry = settlement_entry(operation.audit.all())
    return [LabeledValue(f"Settled by {entry.actor_name}", entry.note)] if entry else []
