"""The header of an order's page: recipient, status, main attributes, actions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse

from goody.errors import NO_EXCERPT, Unauthorized
from goody.types import Order
from orders import eligibility, formats, services
from orders.eligibility import Eligibility, Expiry, ExpiryKind
from orders.formats import MISSING_VALUE
from orders.goody_api import KeyRejected
from orders.list_url import Filters
from orders.rights import Actor, NotAllowed, Right
from orders.search import Hit
from orders.services import OrderWithOperations, stale_copy_reason
from orders.viewer import Viewer

from .job_texts import blocked_by_job_sentence
from .operations import OperationTexts, operation_url, with_next_url
from .order_sections import UNREADABLE, displayed_recipient, sender_key, sender_name
from .raw_values import RawValues
from .rows import gift_text
from .status import Badge, expiry_badge, order_badges


class CopyAge(NamedTuple):
    """The time at which the copy of an order was read, and its age in words and in seconds."""

    iso: str
    at: str
    words: str
    seconds: int


@dataclass(frozen=True, slots=True)
class OrderHeader:
    """Recipient and state of an order, and the age of the copy."""

    recipient: str
    email: str
    badges: list[Badge]
    as_of: CopyAge


class OrderAttribute(NamedTuple):
    """A labeled value in the header; unused fields are "". `copy` is the text of a copy button."""

    label: str
    value: str
    note: str = ""
    url: str = ""
    iso: str = ""
    title: str = ""
    copy: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderActions:
    """The URLs of the possible changes, "" for others.

    `sentence` is the reason why one or both are impossible, or reports a write that has just ended
    without effect; `next_step` is the advice. `is_alert`: the sentence reports a failure.
    """

    extend_url: str = ""
    cancel_url: str = ""
    sentence: str = ""
    next_step: str = ""
    next_url: str = ""
    next_label: str = ""
    is_alert: bool = False


def make_header(view: OrderWithOperations, *, viewer: Viewer) -> OrderHeader:
    order = view.order
    listed = services.listed_order(view)
    badges = order_badges(
        listed.hit,
        is_cancel_on_record=view.is_cancel_on_record,
        operation=view.operation,
        job=view.job,
    )
    expiry = eligibility.classify_expiry(order, viewer.now)
    unreadable = "expires_at" in order.problems
    expires = expiry_badge(expiry, viewer.now, unreadable=unreadable)
    return OrderHeader(
        recipient=displayed_recipient(order),
        email=order.recipient_email or "",
        badges=[*badges, expires] if expires else badges,
        as_of=_age(view.as_of, viewer),
    )


def _age(at: datetime, viewer: Viewer) -> CopyAge:
    return CopyAge(
        iso=formats.iso_utc(at),
        at=formats.date_time(at, viewer.zone),
        words=formats.elapsed_minutes(at, viewer.now),
        seconds=max(0, int((viewer.now - at).total_seconds())),
    )


# --- attributes -------------------------------------------------------------------------------


def header_attributes(
    view: OrderWithOperations, raw: RawValues, *, viewer: Viewer
) -> list[OrderAttribute]:
    """Return gift, amount, expiration, sender, batch and receipt, as far as they are known."""
    order, hit = view.order, services.listed_order(view).hit
    attributes = (
        _gift_attribute(hit, raw),
        _amount_attribute(hit),
        _expires_attribute(order, raw, viewer),
        _sender_attribute(order, raw),
        _batch_attribute(order),
        _receipt_attribute(order, raw),
    )
    return [attribute for attribute in attributes if attribute is not None]


def _gift_attribute(hit: Hit, raw: RawValues) -> OrderAttribute:
    if unreadable := raw.unreadable("cart"):
        return OrderAttribute("Gift", unreadable, tone="is-soon")
    more = f"+ {hit.item_count - 1} more" if hit.item_count > 1 else ""
    return OrderAttribute("Gift", gift_text(hit) or MISSING_VALUE, note=more)


def _amount_attribute(hit: Hit) -> OrderAttribute:
    if hit.is_amount_odd:
        return OrderAttribute("Amount", UNREADABLE, tone="is-soon")
    note = "before tax" if hit.is_before_tax else ""
    return OrderAttribute("Amount", formats.money(hit.amount_cents), note=note)


def _expires_attribute(order: Order, raw: RawValues, viewer: Viewer) -> OrderAttribute | None:
    """Return the expiration in the viewer's zone; None if it has no effect any more."""
    if unreadable := raw.unreadable("expires_at"):
        return OrderAttribute("Expires", unreadable, tone="is-soon")
    expiry = eligibility.classify_expiry(order, viewer.now)
    if expiry.kind is ExpiryKind.IRRELEVANT:
        return None
    if expiry.at is None:
        return OrderAttribute("Expires", "never")
    return _dated(expiry, expiry.at, viewer)


def _dated(expiry: Expiry, at: datetime, viewer: Viewer) -> OrderAttribute:
    # A badge states how near the expiration is.
    is_far = expiry.kind is ExpiryKind.FUTURE
    zone_name = formats.zone_name(at, viewer.zone)
    distance = f", {formats.relative_time(at, viewer.now)}" if is_far else ""
    return OrderAttribute(
        "Expired" if expiry.kind is ExpiryKind.PAST else "Expires",
        formats.compact_date_time(at, viewer.now, viewer.zone),
        note=f"{zone_name}{distance}",
        iso=formats.iso_utc(at),
        title=formats.date_time(at, viewer.zone),
    )


def _sender_attribute(order: Order, raw: RawValues) -> OrderAttribute | None:
    sender = order.sender
    if unreadable := raw.unreadable("sender"):
        return OrderAttribute("Sender", unreadable, tone="is-soon")
    if not (key := sender_key(sender)):
        return None
    email = (sender.email if sender else "") or ""
    return OrderAttribute(
        "Sender", sender_name(sender) or email, url=Filters(sender=key).url(), title=email
    )


def _batch_attribute(order: Order) -> OrderAttribute | None:
    if order.order_batch_id is None:
        return None
    batch = str(order.order_batch_id)
    url = Filters(batch=batch).url()
    return OrderAttribute("Batch", formats.id_prefix(order.order_batch_id), url=url, title=batch)


def _receipt_attribute(order: Order, raw: RawValues) -> OrderAttribute:
    reference = order.reference_id or ""
    if not reference:
        return OrderAttribute("Receipt", raw.unreadable("reference_id") or MISSING_VALUE)
    return OrderAttribute("Receipt", formats.shorten_id(reference), title=reference, copy=reference)


# --- actions ----------------------------------------------------------------------------------


def make_actions(
    view: OrderWithOperations, viewer: Viewer, *, failure: OperationTexts | None
) -> OrderActions:
    """Return the actions. `failure` is the newest write if it has just ended without effect.

    Its outcome replaces the sentence about the pending write, so that nothing moves on a poll.
    """
    actions = _possible_actions(view, viewer)
    if failure is None:
        return actions
    message = failure.message
    rest = (message.sentence, message.next_step, actions.sentence, actions.next_step)
    return replace(
        actions,
        sentence=f"{message.title}.",
        next_step=" ".join(filter(None, rest)),
        next_url=actions.next_url or failure.url,
        next_label=actions.next_label or "See what is known",
        is_alert=True,
    )


def _possible_actions(view: OrderWithOperations, viewer: Viewer) -> OrderActions:
    order, is_canceled = view.order, view.is_cancel_on_record
    cancel = eligibility.may_cancel(order, now=viewer.now, is_cancel_on_record=is_canceled)
    extend = eligibility.may_extend(order, now=viewer.now, is_cancel_on_record=is_canceled)
    obstacle = _obstacle(view, viewer)
    if obstacle and (obstacle.is_alert or cancel.is_allowed or extend.is_allowed):
        return obstacle
    may_cancel = cancel.is_allowed and viewer.actor.may(Right.CANCEL)
    may_extend = extend.is_allowed and viewer.actor.may(Right.EXTEND)
    refusal = eligibility.joint_refusal_sentence(cancel, extend)
    next_step = _next_step(cancel) or ("" if extend.is_allowed else extend.next_step)
    if not refusal and not (may_cancel or may_extend):
        refusal, next_step = _forbidden(viewer.actor), ""
    return OrderActions(
        extend_url=_action_url("order_expiration", order, viewer) if may_extend else "",
        cancel_url=_action_url("order_cancel", order, viewer) if may_cancel else "",
        sentence=refusal,
        next_step=next_step,
    )


def _next_step(cancel: Eligibility) -> str:
    """Return the next step. The text for Goody support has a button of its own."""
    is_handed_off = cancel.code == "accepted"
    return (
        f"Ask Goody support ({eligibility.SUPPORT_ADDRESS})." if is_handed_off else cancel.next_step
    )


def support_message_text(order: Order, *, now: datetime) -> str:
    """Return the text for Goody support if only they can change the order; else ""."""
    if eligibility.may_cancel(order, now=now).code != "accepted":
        return ""
    return "\n".join(
        (
            "Hello Goody support,",
            "please help with this order, which has been accepted and so is out of our reach:",
            "",
            f"Receipt reference: {order.reference_id or 'unknown'}",
            f"Order id: {order.id}",
            f"Status: {order.status}",
            "",
            "What we ask for: ",
        )
    )


def _obstacle(view: OrderWithOperations, viewer: Viewer) -> OrderActions | None:
    """Return the reason why nothing can be changed now, whatever the status; None if none."""
    url = with_next_url(reverse("order_detail", args=[view.order.id]), viewer.next_url)
    if view.is_missing:
        return OrderActions(
            sentence="Goody does not know this order (right environment?).",
            next_step="This is our last copy. Nothing can be changed.",
            is_alert=True,
        )
    if view.problem:
        return OrderActions(
            sentence=f"{problem_text(view.problem, viewer.actor)}.",
            next_step="This is our copy. Nothing can be changed until Goody answers.",
            next_url=url,
            next_label="Try again",
            is_alert=True,
        )
    if view.operation is not None:
        return OrderActions(
            sentence="Cannot be changed before the change under way is settled.",
            next_url=operation_url(view.operation, viewer.next_url),
            next_label="See how it stands",
        )
    if view.job is not None:
        return OrderActions(
            sentence=blocked_by_job_sentence(view.job),
            next_url=reverse("job", args=[view.job.pk]),
            next_label=f"Open job {view.job.number}",
        )
    if view.blocking is not None:
        return OrderActions(
            sentence="Cannot be changed while an earlier request may still take effect.",
            next_url=operation_url(view.blocking, viewer.next_url),
            next_label="See that request",
        )
    return None


def _forbidden(actor: Actor) -> str:
    refused = [right for right in (Right.CANCEL, Right.EXTEND) if not actor.may(right)]
    if len(refused) == 2:
        return "Your role may not cancel or extend gifts. An admin can make you an agent."
    return str(NotAllowed(refused[0])) if refused else ""


def _action_url(name: str, order: Order, viewer: Viewer) -> str:
    return with_next_url(reverse(name, args=[order.id]), viewer.next_url)


_KEY_PROBLEMS = {
    stale_copy_reason(KeyRejected()),
    stale_copy_reason(Unauthorized(message="", excerpt=NO_EXCERPT)),
}


def problem_text(problem: str, actor: Actor) -> str:
    """Return the problem of a read as text. Only admins see that the key is rejected."""
    if problem in _KEY_PROBLEMS and not actor.may(Right.SYSTEM):
        return "This dashboard has no working connection to Goody at present"
    return problem
