"""The two dialogs, ready to be placed: what is at stake, what may be chosen, why it can not be.

They are the same as whole pages and inside the list or the detail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from goody.types import Order
from orders import eligibility, formats
from orders.audit import REASONS
from orders.eligibility import Verdict
from orders.forms.writes import PRESETS, presets
from orders.models import Operation
from orders.services import OrderView

from .detail import Head, Reader, head
from .marks import Banner
from .operations import Chip, busy_sentence, chips, in_both_zones, operation_url, with_next
from .parts import recipient
from .problems import problem_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """What both have. With `banner` there is no form: it says why, and what may be done."""

    title: str
    recipient: str
    url: str
    order_url: str
    next_url: str
    as_of_clock: str = ""
    banner: Banner | None = None
    again_url: str = ""
    again_label: str = "Look again"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDialog(Dialog):
    released: str = ""
    reasons: tuple[tuple[str, str], ...] = REASONS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirationDialog(Dialog):
    was: str = ""
    has_no_date: bool = False
    warning: str = ""
    chips: list[Chip]
    # Why there are fewer chips than usual; "" when all are there.
    left_out: str = ""
    zone_name: str = ""
    # Undo: the operation taken back, the instant it goes back to, and both in words.
    undoes: UUID | None = None
    undo_value: str = ""
    undo_to: str = ""


def cancel_dialog(view: OrderView, *, reader: Reader) -> CancelDialog:
    order = view.order
    url = with_next(reverse("order_cancel", args=[order.id]), reader.next_url)
    return CancelDialog(
        title=f"Cancel the gift for {formats.isolated(recipient(order))}?",
        recipient=recipient(order),
        url=url,
        order_url=order_url(order.id, reader.next_url),
        next_url=reader.next_url,
        as_of_clock=formats.clock(view.as_of, reader.zone),
        banner=obstacle(view, eligibility.may_cancel(order, now=reader.now), reader=reader),
        again_url=url,
        released=released_in_words(order),
    )


def expiration_dialog(
    view: OrderView, *, reader: Reader, undoing: Operation | None
) -> ExpirationDialog:
    order, zone = view.order, reader.zone
    url = with_next(reverse("order_expiration", args=[order.id]), reader.next_url)
    verdict = eligibility.may_extend(order, now=reader.now)
    verb = "Undo the change of expiration" if undoing else "Change the expiration"
    offered = presets(reader.now, order.expires_at, zone)
    within = [one for one in offered if one[1] <= latest_allowed(reader.now)]
    return ExpirationDialog(
        title=f"{verb} for {formats.isolated(recipient(order))}",
        recipient=recipient(order),
        url=url,
        order_url=order_url(order.id, reader.next_url),
        next_url=reader.next_url,
        as_of_clock=formats.clock(view.as_of, zone),
        banner=obstacle(view, verdict, reader=reader),
        again_url=url,
        was=in_both_zones(order.expires_at, zone),
        has_no_date=order.expires_at is None,
        warning=f"{verdict.sentence} {verdict.next_step}" if verdict.code == "expired" else "",
        chips=chips(within, zone=zone),
        left_out="" if len(within) == PRESETS else _LEFT_OUT.format(settings.EXTENSION_MAX_DAYS),
        zone_name=zone.key,
        undoes=undoing.id if undoing else None,
        undo_value=_iso(undoing.expires_before) if undoing else "",
        undo_to=in_both_zones(undoing.expires_before, zone) if undoing else "",
    )


_LEFT_OUT = (
    "Presets count from the present expiration. Those that lead more than {} days ahead of today "
    "are left out: such dates are not accepted here."
)


def latest_allowed(now: datetime) -> datetime:
    return now + timedelta(days=settings.EXTENSION_MAX_DAYS)


def _iso(at: datetime | None) -> str:
    return formats.iso(at) if at is not None else ""


def order_url(order_id: UUID, next_url: str) -> str:
    """The order's page, with the list to come back to."""
    return with_next(reverse("order_detail", args=[order_id]), next_url)


def released_in_words(order: Order) -> str:
    """ "about $39.50 before tax", "$42.10", or that Goody has not said."""
    cents, is_before_tax = eligibility.released_cents(order)
    if cents is None:
        return "an amount that Goody has not given yet"
    amount = formats.money(cents)
    return f"about {amount} before tax" if is_before_tax else amount


def obstacle(view: OrderView, verdict: Verdict, *, reader: Reader) -> Banner | None:
    """Why nothing can be sent at present; None if the form may be shown."""
    if view.is_missing:
        return Banner(
            tone="bad",
            title="Goody does not know this order",
            sentence="Nothing can be changed. Is this the right environment?",
        )
    if view.problem:
        return not_fresh(view, reader=reader)
    if view.operation is not None:
        return busy(view.operation, reader=reader)
    if not verdict.is_allowed:
        return refused(verdict)
    return None


def not_fresh(view: OrderView, *, reader: Reader) -> Banner:
    problem = problem_in_words(view.problem, reader.actor)
    return Banner(
        tone="bad",
        title="The order could not be read just now, so nothing can be sent",
        sentence=f"{problem}. The last copy is of {formats.date_time(view.as_of, reader.zone)}.",
        next_step="Nothing was sent. Try again in a moment.",
    )


def no_undo(dialog: ExpirationDialog) -> ExpirationDialog:
    """The dialog of an undo that is not offered (any more)."""
    banner = Banner(
        tone="warn",
        title="This change can no longer be undone",
        sentence="Its former date has passed, it was undone already, or something changed since.",
        next_step="The expiration can still be changed to another date.",
    )
    return replace(dialog, banner=banner)


def head_of(view: OrderView | None, *, reader: Reader) -> Head | None:
    """The order's head beside one of its writes, when we have a copy of it."""
    return head(view, reader=reader) if view is not None else None


def settle_url(operation: Operation) -> str:
    return reverse("operation_settle", args=[operation.order_uuid, operation.id])


def refused(verdict: Verdict) -> Banner:
    return Banner(tone="warn", title=verdict.sentence, sentence=verdict.next_step)


def busy(operation: Operation, *, reader: Reader) -> Banner:
    return Banner(
        tone="warn",
        title=busy_sentence(operation, now=reader.now, zone=reader.zone),
        sentence="Nothing else can be sent for this order until that is settled.",
        link_url=operation_url(operation, reader.next_url),
        link_label="See how it stands",
    )


def unavailable(order_id: UUID, name: str, problem: str, *, reader: Reader) -> Dialog:
    """The dialog when the order can not be read at all, not even as a copy."""
    url = with_next(reverse(name, args=[order_id]), reader.next_url)
    return Dialog(
        title="The order could not be read",
        recipient="",
        url=url,
        order_url=order_url(order_id, reader.next_url),
        next_url=reader.next_url,
        banner=Banner(
            tone="bad",
            title=problem_in_words(problem, reader.actor),
            sentence="Nothing was sent.",
            next_step="Try again in a moment.",
        ),
        again_url=url,
    )
