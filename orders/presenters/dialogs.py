"""The dialog that cancels a gift, and the parts that it shares with the expiration dialog."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from goody.types import CANCELABLE, Order
from orders import eligibility, formats, services
from orders.eligibility import Eligibility
from orders.list_url import Filters
from orders.models import BlockingJob, Operation
from orders.outcomes import blocked_writes_sentence
from orders.services import CancelAllowance, OrderWithOperations, SimilarOrders
from orders.services.searching import MAX_SIMILAR
from orders.viewer import Viewer

from .elements import Banner
from .job_texts import blocked_by_job_sentence
from .operations import operation_url, pending_write_sentence, with_next_url
from .order_head import OrderHeader, make_header, problem_text
from .order_page import make_raw_values
from .order_sections import displayed_recipient
from .raw_values import RawValues
from .rows import cart_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """The fields that all dialogs share.

    A dialog with a `banner` has no form; the banner states the reason.
    """

    title: str
    recipient: str
    url: str
    order_url: str
    next_url: str
    # Address, gift, amount and sender, and the receipt with its end, to tell the gift from others
    # of the recipient.
    identity: tuple[str, ...] = ()
    receipt: str = ""
    short_receipt: str = ""
    # Other open orders to the same address, and the list of them.
    similar: str = ""
    similar_url: str = ""
    # Beside the buttons: whether the change can be undone.
    undo_note: str = ""
    banner: Banner | None = None
    again_url: str = ""
    again_label: str = "Look again"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDialog(Dialog):
    released: str = ""
    # That few cancels are left in this hour; "" if there are many.
    limit_note: str = ""


def identity_texts(view: OrderWithOperations) -> tuple[str, ...]:
    """Return what is known of address, gift, amount and sender, such as "$44.10", "from Bo Lee"."""
    hit = services.listed_order(view).hit
    amount = formats.money(hit.amount_cents) if hit.amount_cents is not None else ""
    parts = (
        hit.recipient_email,
        cart_text(hit),
        f"{amount} before tax" if hit.is_before_tax else amount,
        f"from {hit.sender.partition(' <')[0]}" if hit.sender else "",
    )
    return tuple(filter(None, parts))


# So many last characters of a receipt tell it from others.
_RECEIPT_END = 5


def similar_text(similar: SimilarOrders) -> str:
    """Return a warning about similar open orders, "" if there are none.

    "4 other open gifts go to this address, 3 of them the same gift."
    """
    count, same = similar
    if not count:
        return ""
    number = f"{count}+" if count == MAX_SIMILAR else str(count)
    others = "1 other open gift goes" if count == 1 else f"{number} other open gifts go"
    if not same:
        return f"{others} to this address."
    same_text = "it is the same gift" if count == 1 else f"{same} of them the same gift"
    return f"{others} to this address; {same_text}. Compare the receipt."


def with_identity[D: Dialog](dialog: D, view: OrderWithOperations) -> D:
    """Return the dialog with the values by which a person recognizes the order."""
    receipt = view.order.reference_id or ""
    is_long = len(receipt) > 2 * _RECEIPT_END
    return replace(
        dialog,
        identity=identity_texts(view),
        receipt=receipt,
        short_receipt=f"…{receipt[-_RECEIPT_END:]}" if is_long else receipt,
    )


def with_similar_orders[D: Dialog](
    dialog: D, view: OrderWithOperations, similar: SimilarOrders
) -> D:
    email = view.order.recipient_email or ""
    return replace(
        with_identity(dialog, view),
        similar=similar_text(similar),
        similar_url=Filters(q=email, status=CANCELABLE).url() if similar.total else "",
    )


def cancel_dialog(
    view: OrderWithOperations,
    *,
    similar: SimilarOrders,
    allowance: CancelAllowance,
    viewer: Viewer,
) -> CancelDialog:
    """Return the dialog. `allowance` is the number of gifts that the viewer may still cancel."""
    order = view.order
    url = with_next_url(reverse("order_cancel", args=[order.id]), viewer.next_url)
    dialog = CancelDialog(
        title=f"Cancel the gift for {formats.isolate_direction(displayed_recipient(order))}?",
        recipient=displayed_recipient(order),
        url=url,
        order_url=order_url(order.id, viewer.next_url),
        next_url=viewer.next_url,
        undo_note="Cannot be undone",
        banner=banner_for_refusal(view, _may_cancel(view, viewer), viewer=viewer)
        or _limit_banner(allowance, viewer),
        limit_note=_limit_note(allowance.left),
        again_url=url,
        released=released_amount_text(order, make_raw_values(order, viewer)),
    )
    return with_similar_orders(dialog, view, similar)


# Up to this number of remaining cancels, the dialog shows the number.
_FEW = 10


def _limit_note(left: int) -> str:
    if left > _FEW:
        return ""
    gifts = "1 gift" if left == 1 else f"{left} gifts"
    return f"You can cancel {gifts} more in this hour, of {settings.CANCELS_PER_HOUR}."


def _limit_banner(allowance: CancelAllowance, viewer: Viewer) -> Banner | None:
    until = allowance.blocked_until
    if until is None:
        return None
    return cancel_limit_banner(settings.CANCELS_PER_HOUR, until, viewer=viewer)


def cancel_limit_banner(limit: int, until: datetime, *, viewer: Viewer) -> Banner:
    """Return the banner that no gift can be canceled until the given time."""
    at = f"{formats.time_of_day(until, viewer.zone)} {formats.zone_name(until, viewer.zone)}"
    return Banner(
        tone="warn",
        title=f"You canceled {limit} gifts within an hour, which is the limit",
        sentence="Nothing was sent. The leads have been told.",
        next_step=f"The next one can be canceled at {at}.",
    )


def _may_cancel(view: OrderWithOperations, viewer: Viewer) -> Eligibility:
    return eligibility.may_cancel(
        view.order, now=viewer.now, is_cancel_on_record=view.is_cancel_on_record
    )


def order_url(order_id: UUID, next_url: str) -> str:
    """Return the URL of the order's page with the list to return to."""
    return with_next_url(reverse("order_detail", args=[order_id]), next_url)


def released_amount_text(order: Order, raw: RawValues) -> str:
    """Return the money that a cancel releases as text: "about $39.50 before tax", "$42.10".

    The text says so if the amount is missing or unreadable.
    """
    cents, is_before_tax = eligibility.cents_released_by_cancel(order)
    unreadable = raw.unreadable("amounts.amount_total")
    if cents is None:
        unreadable = unreadable or raw.unreadable("amounts.amount_pre_tax_total")
        return f"an amount that is {unreadable or 'not given by Goody yet'}"
    amount = formats.money(cents)
    if unreadable:
        return f"about {amount} before tax; the total is {unreadable}"
    return f"about {amount} before tax" if is_before_tax else amount


def banner_for_refusal(
    view: OrderWithOperations, check: Eligibility, *, viewer: Viewer
) -> Banner | None:
    """Return a banner with the reason if nothing can be sent now; None if the form may be shown."""
    if view.is_missing:
        return Banner(
            tone="bad",
            title="Goody does not know this order",
            sentence="Nothing can be changed. Is this the right environment?",
        )
    if view.problem:
        return stale_copy_banner(view, viewer=viewer)
    if view.operation is not None:
        return order_busy_banner(view.operation, viewer=viewer)
    if view.job is not None:
        return in_job_banner(view.job)
    if not check.is_allowed:
        return ineligibility_banner(check)
    # Closed, but it may still take effect.
    return order_busy_banner(view.blocking, viewer=viewer) if view.blocking else None


def stale_copy_banner(view: OrderWithOperations, *, viewer: Viewer) -> Banner:
    problem = problem_text(view.problem, viewer.actor)
    return Banner(
        tone="bad",
        title="The order could not be read just now, so nothing can be sent",
        sentence=f"{problem}. The last copy is of {formats.date_time(view.as_of, viewer.zone)}.",
        next_step="Nothing was sent. Try again in a moment.",
    )


def operation_page_header(
    view: OrderWithOperations | None, *, viewer: Viewer
) -> OrderHeader | None:
    """Return the header of an operation's page; None without a stored copy of the order."""
    return make_header(view, viewer=viewer) if view is not None else None


def settle_url(operation: Operation) -> str:
    return reverse("operation_settle", args=[operation.order_uuid, operation.id])


def ineligibility_banner(check: Eligibility) -> Banner:
    return Banner(tone="warn", title=check.sentence, sentence=check.next_step)


_ONE_AT_A_TIME = "Nothing else can be sent for this order until that is settled."
_NO_WORKER = "No worker is running, which must settle it: tell an admin."


def order_busy_banner(operation: Operation, *, viewer: Viewer) -> Banner:
    until = blocked_writes_sentence(operation, now=viewer.now, zone=viewer.zone)
    is_open = operation.is_open
    return Banner(
        tone="warn",
        title=pending_write_sentence(operation, now=viewer.now, zone=viewer.zone),
        sentence=" ".join(filter(None, (_ONE_AT_A_TIME if is_open else "", until))),
        next_step=_NO_WORKER if services.is_worker_missing(operation, now=viewer.now) else "",
        link_url=operation_url(operation, viewer.next_url),
        link_label="See how it stands",
    )


def in_job_banner(job: BlockingJob) -> Banner:
    return Banner(
        tone="warn",
        title=blocked_by_job_sentence(job),
        sentence="Nothing was sent.",
        link_url=reverse("job", args=[job.pk]),
        link_label=f"Open job {job.number}",
    )


def unavailable_dialog(order_id: UUID, name: str, problem: str, *, viewer: Viewer) -> Dialog:
    """Return the dialog for the case that Goody does not answer and no copy is stored."""
    url = with_next_url(reverse(name, args=[order_id]), viewer.next_url)
    return Dialog(
        title="The order could not be read",
        recipient="",
        url=url,
        order_url=order_url(order_id, viewer.next_url),
        next_url=viewer.next_url,
        banner=Banner(
            tone="bad",
            title=problem_text(problem, viewer.actor),
            sentence="Nothing was sent.",
            next_step="Try again in a moment.",
        ),
        again_url=url,
    )
