"""The pages that change something at Goody: the cancel and expiration dialogs, and what became of
a write. Each dialog is one template, as a page and inside the `<dialog>`.

What a write is and whether it may be made stands in orders.services; the answers to a submit that
could not be carried out stand in answers.py.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from goody.errors import GoodyError
from orders import eligibility, services
from orders.audit import Right
from orders.forms.writes import (
    CUSTOM,
    CancelForm,
    ExpirationForm,
    SettleForm,
    WriteForm,
    sign_seen,
)
from orders.goody_api import CallsBlocked
from orders.models import Operation
from orders.presenters import dialogs
from orders.presenters.dialogs import Dialog, ExpirationDialog
from orders.presenters.operations import operation_url
from orders.services import NotSettleable, OrderNotFound, OrderView

from . import answers
from .answers import CANCEL, EXPIRATION
from .detail import next_url, reader_of, undoable
from .fragments import render
from .permissions import requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.CANCEL)
def order_cancel(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    if request.method != "POST":
        return _ask(request, order_id, CANCEL)
    form = CancelForm(request.POST, order_id=order_id)
    if not form.is_valid():
        return _ask(request, order_id, CANCEL, form=form)
    given = form.cleaned_data

    def send() -> Operation:
        return services.cancel_order(
            actor=request.viewer.actor,
            order_id=order_id,
            seen=given["seen"],
            form_key=given["form_key"],
            reason=given["reason"],
            note=given["note"],
            ticket_url=given["ticket_url"],
            now=request.viewer.now,
        )

    return answers.carry_out(request, order_id, send, template=CANCEL)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.EXTEND)
def order_expiration(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    """Change the expiration, or with `undo` (an operation's id) put the former one back."""
    if request.method != "POST":
        return _ask(request, order_id, EXPIRATION)
    form = ExpirationForm(request.POST, order_id=order_id, zone=request.viewer.zone)
    if form.is_valid():
        _check_expiration(request, order_id, form)
    if not form.is_valid():
        return _ask(request, order_id, EXPIRATION, form=form)
    given = form.cleaned_data

    def send() -> Operation:
        return services.extend_order(
            actor=request.viewer.actor,
            order_id=order_id,
            seen=given["seen"],
            form_key=given["form_key"],
            expiration=given["expiration"],
            may_shorten=given["may_shorten"],
            undoes=given["undoes"],
            now=request.viewer.now,
        )

    return answers.carry_out(request, order_id, send, template=EXPIRATION)


def _check_expiration(request: HttpRequest, order_id: UUID, form: ExpirationForm) -> None:
    """Put what is wrong with the instant beside its field, before anything is asked of Goody.

    Measured on our copy; the service measures again on a fresh read. An equal repeated submit is
    let through: it leads to the operation that the first one opened.
    """
    given = form.cleaned_data
    view = services.stored_order(order_id)
    if view is None or Operation.objects.filter(form_key=given["form_key"]).exists():
        return
    verdict = eligibility.check_expiration(
        view.order,
        given["expiration"],
        now=request.viewer.now,
        may_shorten=given["may_shorten"] or given["undoes"] is not None,
        # What an undo goes back to was Goody's own date.
        max_days=None if given["undoes"] else settings.EXTENSION_MAX_DAYS,
    )
    if not verdict.is_allowed:
        field = "may_shorten" if verdict.code in ("shortens", "sets_a_date") else "expiration"
        form.add_error(field, f"{verdict.sentence} {verdict.next_step}".strip())


def _ask(
    request: HttpRequest, order_id: UUID, template: str, *, form: WriteForm | None = None
) -> HttpResponse:
    """The dialog: with a fresh read, or (after a refused form) with what was typed kept."""
    try:
        view = _order_for_dialog(request, order_id, form)
    except (GoodyError, CallsBlocked) as error:
        return _unavailable(request, order_id, template, error)
    except OrderNotFound as error:
        raise Http404 from error
    dialog = _dialog(request, view, template)
    context = {
        "dialog": dialog,
        "form": form,
        "form_key": _key(form),
        "seen": _seen(view, form),
        "typed": _typed(form, dialog),
    }
    status = 422 if form else 200
    response = render(request, template, context, answers.FRAGMENTS, status=status)
    return answers.with_order_behind(request, order_id, response) if dialog.banner else response


def _order_for_dialog(request: HttpRequest, order_id: UUID, form: WriteForm | None) -> OrderView:
    """Fresh from Goody, except after a slip in the form: its `seen` is older than that anyway."""
    stored = None
    if form is not None and not form.must_look_again:
        stored = services.stored_order(order_id)
    if stored is None:
        return services.refresh_order(order_id=order_id, now=request.viewer.now)
    return stored


def _typed(form: WriteForm | None, dialog: Dialog) -> str:
    """The date that was typed, also one that was posted as `expiration` without being a chip."""
    if not isinstance(form, ExpirationForm) or not isinstance(dialog, ExpirationDialog):
        return ""
    chosen = form.data.get("expiration", "")
    offered = {chip.value for chip in dialog.chips} | {CUSTOM}
    return form.data.get("expiration_custom", "") or ("" if chosen in offered else chosen)


def _key(form: WriteForm | None) -> str:
    """The one-time key: kept through a slip in the form, since nothing was sent under it."""
    if form is None or form.must_look_again:
        return str(uuid4())
    return str(form.cleaned_data["form_key"])


def _seen(view: OrderView, form: WriteForm | None) -> str:
    if form is None or form.must_look_again:
        return sign_seen(view.order.id, eligibility.facts(view.order))
    return str(form.data["seen"])


def _dialog(request: HttpRequest, view: OrderView, template: str) -> Dialog:
    reader = reader_of(request)
    if template == CANCEL:
        return dialogs.cancel_dialog(view, reader=reader)
    wanted = request.POST.get("undoes") or request.GET.get("undo") or ""
    if not wanted:
        return dialogs.expiration_dialog(view, reader=reader, undoing=None)
    return _undo_dialog(request, view, wanted)


def _undo_dialog(request: HttpRequest, view: OrderView, wanted: str) -> Dialog:
    found = next((one for one in view.operations if str(one.id) == wanted), None)
    dialog = dialogs.expiration_dialog(view, reader=reader_of(request), undoing=found)
    if found is None or (dialog.banner is None and not _may_undo(request, view, found)):
        return dialogs.no_undo(dialog)
    return dialog


def _may_undo(request: HttpRequest, view: OrderView, found: Operation) -> bool:
    """Whether it may be taken back, and the order still stands as it left it."""
    stands = eligibility.is_same_second(view.order.expires_at, found.expiration)
    return stands and found.id in undoable(request, view.operations)


def _unavailable(
    request: HttpRequest, order_id: UUID, template: str, error: Exception
) -> HttpResponse:
    name = "order_cancel" if template == CANCEL else "order_expiration"
    problem = services.why_not_fresh(error)
    dialog = dialogs.unavailable(order_id, name, problem, reader=reader_of(request))
    return render(request, template, {"dialog": dialog}, answers.FRAGMENTS, status=503)


@require_safe
@requires(Right.READ)
def operation(request: HttpRequest, order_id: UUID, operation_id: UUID) -> HttpResponseBase:
    """What became of a write; polls our own row while it is open, never Goody."""
    found = get_object_or_404(Operation, pk=operation_id, order_uuid=order_id)
    return _operation_page(request, found, SettleForm())


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SETTLE)
def operation_settle(request: HttpRequest, order_id: UUID, operation_id: UUID) -> HttpResponseBase:
    """Record what a lead saw on Goody's own page. The form stands on the operation's page, where
    a GET leads (as after a login in between).
    """
    found = get_object_or_404(Operation, pk=operation_id, order_uuid=order_id)
    if request.method != "POST":
        return redirect(operation_url(found, next_url(request)))
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _operation_page(request, found, form, status=422)
    try:
        settled = services.settle_by_hand(
            actor=request.viewer.actor,
            operation_id=found.id,
            is_applied=form.cleaned_data["is_applied"],
            note=form.cleaned_data["note"],
            now=request.viewer.now,
        )
    except NotSettleable:
        return _operation_page(request, found, form, status=409, is_settled_already=True)
    return answers.to_operation(request, settled)


def _operation_page(
    request: HttpRequest,
    found: Operation,
    form: SettleForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = answers.operation_context(request, found) | {"form": form} | more
    return render(request, "orders/operation.html", context, {"operation": "state"}, status=status)
