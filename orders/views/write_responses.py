"""Sends a write and responds with its outcome.

A refusal is shown in the dialog. Any other outcome replaces the row or the detail from which the
dialog was opened; without htmx the response redirects to the operation's page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

from orders import services
from orders.models import Operation, State
from orders.outcome_message import NOT_CARRIED_OUT, OutcomeMessage
from orders.own_pages import own_page_from_header
from orders.presenters import dialogs
from orders.presenters.dialogs import Dialog
from orders.presenters.elements import Banner
from orders.presenters.operations import make_operation_texts, operation_url, with_next_url
from orders.rights import NotAllowed
from orders.services import (
    CancelLimitReached,
    FormKeyReused,
    NotRecorded,
    OrderBusy,
    OrderInJob,
    OrderWithOperations,
    OutcomeNotRecorded,
    TooManyWrites,
)
from orders.viewer import Request, Viewer

from .http import HttpResponseSeeOther, choose_partial, htmx_target_id, render_page_or_partial
from .order import order_detail_fragment, order_row_fragment, outcome_toast

CANCEL, EXPIRATION = "order_cancel", "order_expiration"
DIALOG_FRAGMENTS = {"dialog-body": "dialog", "dialog-content": "dialog"}

# Nothing changed at Goody: shown in the dialog.
_WITHOUT_EFFECT = (State.REFUSED, State.NOT_SENT)
# Closed after reads without the change: shown on the operation's page.
_WITHOUT_SUCCESS = (State.NOT_APPLIED, State.SUPERSEDED)


def send_and_respond(
    request: Request, order_id: UUID, send: Callable[[], Operation], *, name: str
) -> HttpResponseBase:
    """Call `send` and respond with the outcome. `name` is the URL name of the dialog."""
    try:
        operation = send()
    except FormKeyReused:
        return respond_with_dialog_banner(request, order_id, _KEY_REUSED, name=name, status=409)
    except (OrderBusy, OrderInJob) as error:
        banner = _taken_banner(error, request.viewer)
        response = respond_with_dialog_banner(request, order_id, banner, name=name, status=409)
        return with_order_fragment(request, order_id, response)
    except CancelLimitReached as reached:
        banner = dialogs.cancel_limit_banner(reached.limit, reached.until, viewer=request.viewer)
        return respond_with_dialog_banner(request, order_id, banner, name=name, status=429)
    except (TooManyWrites, NotRecorded) as error:
        banner = _UNAVAILABLE[type(error)]
        return respond_with_dialog_banner(request, order_id, banner, name=name, status=503)
    except OutcomeNotRecorded:
        return _outcome_not_recorded(request, order_id, name=name)
    except NotAllowed as error:
        if not _is_dialog(request):
            raise
        banner = Banner(tone="bad", title=str(error), sentence="Nothing was sent.")
        return respond_with_dialog_banner(request, order_id, banner, name=name, status=403)
    if not _is_dialog(request):
        return redirect_to_operation(request, operation)
    if operation.state in _WITHOUT_EFFECT:
        return _refused(request, operation, name=name)
    return _done(request, operation)


def _taken_banner(error: OrderBusy | OrderInJob, viewer: Viewer) -> Banner:
    if isinstance(error, OrderInJob):
        return dialogs.in_job_banner(error.job)
    return dialogs.order_busy_banner(error.operation, viewer=viewer)


_KEY_REUSED = Banner(
    tone="bad",
    title="This form was used already, for something else",
    sentence="Nothing was sent this time. What the first submit did stands in the timeline.",
)
_TOO_MANY = Banner(
    tone="bad",
    title="Too many changes are under way",
    sentence="Nothing was recorded and nothing was sent.",
    next_step="Try again in a moment.",
)
_NOT_RECORDED = Banner(
    tone="bad",
    title="It could not be recorded, so nothing was sent",
    sentence="The dashboard's own database is busy, or cannot take the request down.",
    next_step="Try again in a moment; if it stays so, tell an admin.",
)
_OUTCOME_NOT_RECORDED = Banner(
    tone="warn",
    title="Outcome being checked",
    sentence=(
        "Goody was asked, but the dashboard's own database could not take down the answer. "
        "What became of it is found out by reading the order."
    ),
    next_step="Do not repeat it meanwhile. Look at the order in a minute.",
)


_UNAVAILABLE: dict[type[Exception], Banner] = {
    TooManyWrites: _TOO_MANY,
    NotRecorded: _NOT_RECORDED,
}


def _is_dialog(request: Request) -> bool:
    return bool(choose_partial(htmx_target_id(request), DIALOG_FRAGMENTS))


def dialog_template(name: str) -> str:
    return "orders/cancel.html" if name == CANCEL else "orders/expiration.html"


def respond_with_dialog_banner(
    request: Request,
    order_id: UUID,
    banner: Banner,
    *,
    name: str,
    status: int,
    title: str = NOT_CARRIED_OUT,
    may_repeat: bool = True,
    view: OrderWithOperations | None = None,
) -> HttpResponse:
    """Return the dialog with a banner instead of the form. Its header shows the order of `view`.

    The title describes this attempt alone, because another one may have changed the order.
    """
    next_url = request.viewer.next_url
    url = with_next_url(reverse(name, args=[order_id]), next_url)
    dialog = Dialog(
        title=title,
        recipient="",
        url=url,
        order_url=dialogs.order_url(order_id, next_url),
        next_url=next_url,
        banner=replace(banner, reference=getattr(request, "request_id", "")),
        again_url=url if may_repeat else "",
    )
    if view is not None:
        dialog = dialogs.with_identity(dialog, view)
    template = dialog_template(name)
    return render_page_or_partial(
        request, template, {"dialog": dialog}, DIALOG_FRAGMENTS, status=status
    )


def with_order_fragment(request: Request, order_id: UUID, response: HttpResponse) -> HttpResponse:
    """Add the order that was read for the dialog to the dialog's response.

    The order has usually changed, and the page behind the dialog must stop offering actions.
    """
    view = services.stored_order(order_id) if _is_dialog(request) else None
    if opener := _opener(request, view):
        target, part = opener
        response.write(render_to_string("includes/behind.html", {"target": target, "part": part}))
    return response


def _outcome_not_recorded(request: Request, order_id: UUID, *, name: str) -> HttpResponse:
    return respond_with_dialog_banner(
        request,
        order_id,
        _OUTCOME_NOT_RECORDED,
        name=name,
        status=503,
        title=_OUTCOME_NOT_RECORDED.title,
        may_repeat=False,
    )


def _refused(request: Request, operation: Operation, *, name: str) -> HttpResponse:
    viewer = request.viewer
    shown = make_operation_texts(operation, now=viewer.now, zone=viewer.zone)
    message = shown.message
    was_sent = operation.sent_at is not None
    banner = replace(
        shown.banner,
        # Then it is the dialog's title.
        title="" if was_sent else message.title,
        link_url=operation_url(operation, viewer.next_url),
        link_label="See the attempt",
    )
    response = respond_with_dialog_banner(
        request,
        operation.order_uuid,
        banner,
        name=name,
        status=200,
        title=message.title if was_sent else NOT_CARRIED_OUT,
        may_repeat=_may_repeat(operation, message),
        view=services.stored_order(operation.order_uuid),
    )
    return with_order_fragment(request, operation.order_uuid, response)


def _may_repeat(operation: Operation, message: OutcomeMessage) -> bool:
    """Whether the dialog may be opened again: the order can still be changed."""
    has_ended = operation.failure_kind in ("accepted", "ended", "unknown_status")
    return message.is_final and operation.effect_seen_at is None and not has_ended


def _done(request: Request, operation: Operation) -> HttpResponse:
    """Replace the element from which the dialog was opened, and close the dialog."""
    view = services.stored_order(operation.order_uuid)
    opener = _opener(request, view)
    if view is None or opener is None or operation.state in _WITHOUT_SUCCESS:
        url = operation_url(operation, request.viewer.next_url)
        return HttpResponse(headers={"HX-Redirect": url})
    target, part = opener
    return HttpResponse(
        part + outcome_toast(request, operation, view.order),
        headers={"HX-Retarget": target, "HX-Reswap": "outerHTML", "HX-Trigger": "dialog-close"},
    )


def _opener(request: Request, view: OrderWithOperations | None) -> tuple[str, str] | None:
    """Return (selector, new markup) of the element from which the dialog was opened.

    Return None if the page behind the dialog shows neither the order's row nor its detail.
    """
    path = own_page_from_header(request, "HX-Current-URL").partition("?")[0]
    if view and path == reverse("order_list"):
        return f"#order-{view.order.id}", order_row_fragment(request, view)
    if view and path == reverse("order_detail", args=[view.order.id]):
        return "#order-detail", order_detail_fragment(request, view)
    return None


def redirect_to_operation(request: Request, operation: Operation) -> HttpResponseSeeOther:
    return HttpResponseSeeOther(operation_url(operation, request.viewer.next_url))
