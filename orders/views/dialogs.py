"""The dialogs that cancel a gift and change an expiration, as pages and inside `<dialog>`.

write_responses.py sends the write and responds with its outcome.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from django import shortcuts
from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods, require_safe

from goody.errors import GoodyError
from orders import eligibility, services
from orders.forms.dates import DateReader
from orders.forms.writes import (
    MAX_DATE_LENGTH,
    CancelForm,
    ExpirationForm,
    WriteForm,
    sign_snapshot,
)
from orders.goody_api import CallsBlocked
from orders.models import Operation, State
from orders.presenters import dialogs, expiration_dialog
from orders.presenters.dialogs import Dialog
from orders.presenters.expiration_dialog import ExpirationDialog
from orders.presenters.order_page import READ
from orders.rights import Right
from orders.services import OrderNotFound, OrderWithOperations
from orders.text import hex_digest
from orders.viewer import Request, Viewer

from .concurrency import GOODY_READ, GOODY_WRITE, in_concurrency_group
from .http import browser_runs_script, htmx_target_id, render_page_or_partial, requires_right
from .write_responses import (
    CANCEL,
    DIALOG_FRAGMENTS,
    EXPIRATION,
    dialog_template,
    send_and_respond,
    with_order_fragment,
)


@in_concurrency_group(GET=GOODY_READ, POST=GOODY_WRITE, has_copy=True)
@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.CANCEL)
def order_cancel(request: Request, order_id: UUID) -> HttpResponseBase:
    if request.method != "POST":
        return _show(request, order_id, CANCEL)
    form = CancelForm(request.POST, order_id=order_id)
    if not form.is_valid():
        return _show(request, order_id, CANCEL, form=form)
    data = form.cleaned_data

    def send() -> Operation:
        return services.cancel_order(
            actor=request.viewer.actor,
            order_id=order_id,
            snapshot=data["snapshot"],
            form_key=data["form_key"],
            reason=data["reason"],
            note=data["note"],
            ticket=data["ticket"],
            now=request.viewer.now,
        )

    return send_and_respond(request, order_id, send, name=CANCEL)


@in_concurrency_group(GET=GOODY_READ, POST=GOODY_WRITE, has_copy=True)
@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.EXTEND)
def order_expiration(request: Request, order_id: UUID) -> HttpResponseBase:
    """Change the expiration. `again` is the id of an operation whose input fills the form."""
    if request.method != "POST":
        return _show(request, order_id, EXPIRATION)
    view = services.stored_order(order_id)
    dates = _dates(request.viewer, view)
    form = ExpirationForm(request.POST, order_id=order_id, dates=dates)
    if form.is_valid() and view is not None:
        _check_expiration(request, view, form)
    if not form.is_valid():
        return _show(request, order_id, EXPIRATION, form=form)
    data = form.cleaned_data

    def send() -> Operation:
        return services.extend_order(
            actor=request.viewer.actor,
            order_id=order_id,
            snapshot=data["snapshot"],
            form_key=data["form_key"],
            expiration=data["expiration"],
            may_shorten=data["may_shorten"],
            reason=data["reason"],
            ticket=data["ticket"],
            undoes=None,
            now=request.viewer.now,
        )

    return send_and_respond(request, order_id, send, name=EXPIRATION)


@require_safe
@requires_right(Right.EXTEND)
def order_expiration_preview(request: Request, order_id: UUID) -> HttpResponseBase:
    """Show how a typed date is read, from our copy of the order."""
    view = services.stored_order(order_id)
    if view is None:
        raise Http404
    typed = request.GET.get("expiration_custom", "")[:MAX_DATE_LENGTH]
    understood = expiration_dialog.preview_typed_date(view.order, typed, viewer=request.viewer)
    context = {"understood": understood, "is_preview": True}
    return shortcuts.render(request, "orders/expiration.html#understood", context)


def _dates(viewer: Viewer, view: OrderWithOperations | None) -> DateReader:
    return viewer.date_reader(
        eligibility.preset_base(viewer.now, view.order.expires_at) if view else None
    )


def _check_expiration(request: Request, view: OrderWithOperations, form: ExpirationForm) -> None:
    """Add errors about the date to its field, before anything is sent.

    It checks the stored copy; the service checks a fresh read. A repeated submit is not checked,
    because it returns the operation that the first submit created.
    """
    if form.is_resubmitted:
        return
    data = form.cleaned_data
    check = eligibility.check_expiration(
        view.order,
        data["expiration"],
        now=request.viewer.now,
        may_shorten=data["may_shorten"],
        max_days=settings.EXTENSION_MAX_DAYS,
    )
    if check.is_allowed:
        return
    field = "expiration_custom" if form.typed else "expiration"
    if check.code in ("shortens", "sets_a_date"):
        field = "may_shorten"
    form.add_error(field, expiration_dialog.expiration_error_text(check))


def _show(
    request: Request, order_id: UUID, name: str, *, form: WriteForm | None = None
) -> HttpResponse:
    """Show the dialog with a fresh read, or with an invalid form and its errors.

    If the stored copy allows the change, the dialog opens with the copy at once, and the script
    loads the fresh read.
    """
    if form is None and (response := _show_copy(request, order_id, name)):
        return response
    try:
        view = _order_for_dialog(request, order_id, form)
    except (GoodyError, CallsBlocked) as error:
        return _unavailable(request, order_id, name, error)
    except OrderNotFound as error:
        raise Http404 from error
    dialog = _dialog(request, view, name)
    if isinstance(form, ExpirationForm) and isinstance(dialog, ExpirationDialog):
        dialog = expiration_dialog.with_submitted_input(
            dialog, view.order, form, viewer=request.viewer
        )
    if not dialog.banner and request.GET.get(READ) == _snapshot_token(view):
        return _enable(request, view, dialog, name)
    if dialog.banner and READ in request.GET and not view.is_fresh:
        return _still_unread(request, dialog)
    status = 422 if form else 200
    response = _render(request, view, dialog, name, form=form, status=status)
    return with_order_fragment(request, order_id, response) if dialog.banner else response


def _render(
    request: Request,
    view: OrderWithOperations,
    dialog: Dialog,
    name: str,
    *,
    form: WriteForm | None = None,
    status: int = 200,
    read_url: str = "",
) -> HttpResponse:
    """Render the dialog.

    `read_url` returns a fresh read; the submit button is disabled until it is loaded.
    """
    context: dict[str, Any] = {
        "dialog": dialog,
        "form": form or _empty_form(request, view.order.id, name),
        "form_key": _form_key(form),
        "snapshot": _snapshot(view, form),
        "read_url": read_url,
    }
    return render_page_or_partial(
        request, dialog_template(name), context, DIALOG_FRAGMENTS, status=status
    )


def _show_copy(request: Request, order_id: UUID, name: str) -> HttpResponse | None:
    """Return the dialog with the stored copy and a disabled submit button.

    Return None if the dialog must wait for Goody.
    """
    if not browser_runs_script(request) or not htmx_target_id(request) or READ in request.GET:
        return None
    view = services.stored_order(order_id)
    dialog = _dialog(request, view, name) if view else None
    if view is None or dialog is None or dialog.banner:
        return None
    url = request.get_full_path()
    read_url = f"{url}{'&' if '?' in url else '?'}{READ}={_snapshot_token(view)}"
    return _render(request, view, dialog, name, read_url=read_url)


def _snapshot_token(view: OrderWithOperations) -> str:
    """Return a token of the values in the dialog."""
    return hex_digest(json.dumps(eligibility.order_snapshot(view.order), sort_keys=True).encode())


def _enable(request: Request, view: OrderWithOperations, dialog: Dialog, name: str) -> HttpResponse:
    """Return the values of a fresh read, without input fields, for a dialog that is open."""
    context = {"dialog": dialog, "snapshot": _snapshot(view, None)}
    response = shortcuts.render(request, f"{dialog_template(name)}#ready", context)
    response["HX-Reswap"] = "none"
    return response


def _empty_form(request: Request, order_id: UUID, name: str) -> WriteForm:
    if name == CANCEL:
        return CancelForm(order_id=order_id)
    return ExpirationForm(order_id=order_id, dates=request.viewer.date_reader(None))


def _order_for_dialog(
    request: Request, order_id: UUID, form: WriteForm | None
) -> OrderWithOperations:
    """Return a fresh read, or the stored copy for an invalid form.

    The snapshot of an invalid form is from an older read anyway.
    """
    stored = None
    if form is not None and not form.needs_new_dialog:
        stored = services.stored_order(order_id)
    if stored is None:
        return services.refresh_order(order_id=order_id, now=request.viewer.now)
    return stored


def _form_key(form: WriteForm | None) -> str:
    """Return a new one-time key, or that of an invalid form, which was not used yet."""
    if form is None or form.needs_new_dialog:
        return str(uuid4())
    return str(form.cleaned_data["form_key"])


def _snapshot(view: OrderWithOperations, form: WriteForm | None) -> str:
    if form is None or form.needs_new_dialog:
        return sign_snapshot(view.order.id, eligibility.order_snapshot(view.order))
    return str(form.data["snapshot"])


def _dialog(request: Request, view: OrderWithOperations, name: str) -> Dialog:
    viewer = request.viewer
    similar = services.count_similar_orders(services.listed_order(view), now=viewer.now)
    if name == CANCEL:
        allowance = services.cancel_allowance(viewer.actor, now=viewer.now)
        return dialogs.cancel_dialog(view, similar=similar, allowance=allowance, viewer=viewer)
    dialog = expiration_dialog.expiration_dialog(view, similar=similar, viewer=viewer)
    former = _not_applied(view, request.GET.get("again", ""))
    if former:
        return expiration_dialog.dialog_with_former_input(dialog, former, view.order, viewer=viewer)
    return dialog


def _not_applied(view: OrderWithOperations, wanted: str) -> Operation | None:
    """Return the extension whose input fills the form again; None unless it was not applied."""
    found = next((one for one in view.operations if str(one.id) == wanted), None)
    is_former = found is not None and found.state == State.NOT_APPLIED
    return found if is_former and found and found.expiration else None


def _unavailable(request: Request, order_id: UUID, name: str, error: Exception) -> HttpResponse:
    problem = services.stale_copy_reason(error)
    dialog = dialogs.unavailable_dialog(order_id, name, problem, viewer=request.viewer)
    template = dialog_template(name)
    return render_page_or_partial(
        request, template, {"dialog": dialog}, DIALOG_FRAGMENTS, status=503
    )


def _still_unread(request: Request, dialog: Dialog) -> HttpResponse:
    """Return the reason why there is no fresh read, for a banner above the form in an open dialog.

    The form keeps its input, and its submit button stays disabled.
    """
    context = {"banner": dialog.banner, "read_url": request.get_full_path()}
    response = shortcuts.render(request, "includes/dialog_unread.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#dialog-problem", "innerHTML"
    return response
