"""What is answered to a submitted dialog: refusals stay in the dialog, everything else replaces
the row or the detail it was opened from. Without htmx the operation's own page follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

from orders import services
from orders.audit import NotAllowed, Right
from orders.models import Operation, State
from orders.outcomes import NOT_CARRIED_OUT, tell
from orders.presenters import dialogs
from orders.presenters.audit import settled_by_hand
from orders.presenters.dialogs import Dialog
from orders.presenters.marks import Banner
from orders.presenters.operations import describe, operation_url, with_next
from orders.presenters.parts import Line
from orders.services import FormKeyReused, NotRecorded, OrderBusy, OrderView, OutcomeNotRecorded

from .detail import detail_part, next_url, reader_of, row_part, toast_part, undoable
from .fragments import chosen_partial, render, target_of

CANCEL = "orders/cancel.html"
EXPIRATION = "orders/expiration.html"
FRAGMENTS = {"dialog-body": "dialog"}

# Nothing happened at Goody: said where it was asked for.
_WITHOUT_EFFECT = (State.REFUSED, State.NOT_SENT)
# Looked into and closed without the change: told on a page that stays, never in a toast.
_CAME_TO_NOTHING = (State.NOT_APPLIED, State.SUPERSEDED)


class SeeOther(HttpResponse):
    """303: the browser goes on with a GET, whatever it came with."""

    status_code = 303

    def __init__(self, url: str) -> None:
        super().__init__(headers={"Location": url})


def carry_out(
    request: HttpRequest, order_id: UUID, send: Callable[[], Operation], *, template: str
) -> HttpResponseBase:
    """Send, and answer with the outcome or with why there is none."""
    try:
        operation = send()
    except FormKeyReused:
        return _stay(request, order_id, _KEY_REUSED, template=template, status=409)
    except OrderBusy as error:
        banner = dialogs.busy(error.operation, reader=reader_of(request))
        dialog = _stay(request, order_id, banner, template=template, status=409)
        return with_order_behind(request, order_id, dialog)
    except NotRecorded:
        return _stay(request, order_id, _NOT_RECORDED, template=template, status=503)
    except OutcomeNotRecorded:
        return _stay(request, order_id, _OUTCOME_NOT_RECORDED, template=template, status=503)
    except NotAllowed as error:
        if not _is_dialog(request):
            raise
        banner = Banner(tone="bad", title=str(error), sentence="Nothing was sent.")
        return _stay(request, order_id, banner, template=template, status=403)
    if not _is_dialog(request):
        return to_operation(request, operation)
    if operation.state in _WITHOUT_EFFECT:
        return _refused(request, operation, template=template)
    return _done(request, operation)


_KEY_REUSED = Banner(
    tone="bad",
    title="This form was used already, for something else",
    sentence="Nothing was sent this time. What the first submit did stands in the timeline.",
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


def _is_dialog(request: HttpRequest) -> bool:
    return bool(chosen_partial(target_of(request), FRAGMENTS))


def _stay(
    request: HttpRequest, order_id: UUID, banner: Banner, *, template: str, status: int
) -> HttpResponse:
    """The dialog again, without a form: only a new look helps.

    Its title speaks of this attempt alone: an earlier one, or another person's, may have changed
    the order.
    """
    name = "order_cancel" if template == CANCEL else "order_expiration"
    url = with_next(reverse(name, args=[order_id]), next_url(request))
    dialog = Dialog(
        title=banner.title if banner is _OUTCOME_NOT_RECORDED else NOT_CARRIED_OUT,
        recipient="",
        url=url,
        order_url=with_next(reverse("order_detail", args=[order_id]), next_url(request)),
        next_url=next_url(request),
        banner=replace(banner, reference=getattr(request, "request_id", "")),
        again_url="" if banner is _OUTCOME_NOT_RECORDED else url,
    )
    return render(request, template, {"dialog": dialog}, FRAGMENTS, status=status)


def with_order_behind(request: HttpRequest, order_id: UUID, response: HttpResponse) -> HttpResponse:
    """A dialog in which nothing can be done, and behind it the order as it was read for that: it
    has mostly moved since the page was shown, and the page must not go on offering the change.
    """
    view = services.stored_order(order_id) if _is_dialog(request) else None
    if place := _place_opened_from(request, view):
        target, part = place
        response.write(render_to_string("includes/behind.html", {"target": target, "part": part}))
    return response


def _refused(request: HttpRequest, operation: Operation, *, template: str) -> HttpResponse:
    telling = tell(operation, now=request.viewer.now, zone=request.viewer.zone)
    banner = Banner(
        tone="bad",
        title=telling.title,
        sentence=telling.sentence,
        next_step=telling.next_step,
        link_url=operation_url(operation, next_url(request)),
        link_label="See the attempt",
    )
    dialog = _stay(request, operation.order_uuid, banner, template=template, status=200)
    return with_order_behind(request, operation.order_uuid, dialog)


def _done(request: HttpRequest, operation: Operation) -> HttpResponse:
    """Replace what the dialog was opened from, by what Goody answered."""
    view = services.stored_order(operation.order_uuid)
    place = _place_opened_from(request, view)
    if view is None or place is None or operation.state in _CAME_TO_NOTHING:
        return HttpResponse(headers={"HX-Redirect": operation_url(operation, next_url(request))})
    target, part = place
    return HttpResponse(
        part + toast_part(request, operation, view.order),
        headers={"HX-Retarget": target, "HX-Reswap": "outerHTML", "HX-Trigger": "dialog-close"},
    )


def _place_opened_from(request: HttpRequest, view: OrderView | None) -> tuple[str, str] | None:
    """Where the order stands on the page under the dialog, and what is to stand there now; None
    for a page that shows neither its row nor its detail.
    """
    opened_from = urlsplit(request.headers.get("HX-Current-URL", "")).path
    if view and opened_from == reverse("order_list"):
        return f"#order-{view.order.id}", row_part(request, view)
    if view and opened_from == reverse("order_detail", args=[view.order.id]):
        return "#order-detail", detail_part(request, view)
    return None


def to_operation(request: HttpRequest, operation: Operation) -> SeeOther:
    return SeeOther(operation_url(operation, next_url(request)))


def operation_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """A write's own page: the write, whose order it is, and what its outcome rows add."""
    reader = reader_of(request)
    view = services.stored_order(operation.order_uuid)
    operations = view.operations if view else (operation,)
    shown = describe(
        operation,
        now=reader.now,
        zone=reader.zone,
        may_undo=operation.id in undoable(request, operations),
        next_url=reader.next_url,
    )
    return {
        "operation": shown,
        "head": dialogs.head_of(view, reader=reader),
        "next_url": reader.next_url,
        "order_url": dialogs.order_url(operation.order_uuid, reader.next_url),
        "may_settle": shown.needs_human and reader.actor.may(Right.SETTLE),
        "settle_url": dialogs.settle_url(operation),
        "settled": _settled_by(operation),
    }


def _settled_by(operation: Operation) -> list[Line]:
    """What a lead recorded by hand, out of the audit."""
    found = settled_by_hand(operation.audit.all())
    return [Line(f"Settled by {found.actor_name}", found.note)] if found else []
