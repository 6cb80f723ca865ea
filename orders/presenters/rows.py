"""The rows of a list of orders as texts for the template.

The rules (whether it can be canceled, what its expiration means, how a write ended) are in
orders.eligibility and orders.outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from orders import eligibility, formats
from orders.audit import Right
from orders.eligibility import ExpiryKind, Verdict
from orders.formats import NOTHING
from orders.models import Operation
from orders.outcomes import outcome_message
from orders.search import Hit
from orders.services import ListedOrder
from orders.text import searchable_text
from orders.viewer import Viewer

from .operations import poll_interval, poll_token, request_time_text
from .order_sections import UNNAMED
from .status import EXPIRY_TONES, Badge, order_badges


class OrderRow(NamedTuple):
    """The cells of a row as texts, "" if empty.

    The tag `render_rows` renders each pattern of empty cells once.
    """

    id: str
    status: str
    url: str
    recipient: str
    email: str
    gift: str
    more: str
    tone: str
    icon: str
    word: str
    # A second badge, for trouble with delivery or payment.
    second_tone: str
    second_icon: str
    second_word: str
    amount: str
    amount_under: str
    sender: str
    batch: str
    created: str
    created_iso: str
    expires: str
    expires_tone: str
    # "" if the action is not offered; `why` then says why.
    cancel_url: str
    extend_url: str
    why: str
    # For a date that still matters.
    expires_under: str = ""
    expires_iso: str = ""
    # An open write replaces the actions until it is closed.
    busy: str = ""
    busy_url: str = ""
    poll_url: str = ""
    poll_every: str = ""
    # A write that has just ended without effect, and why.
    failure: str = ""
    failure_why: str = ""
    failure_url: str = ""
    missing: str = ""
    matched: str = ""


class RowBuilder:
    """Makes the rows of one page.

    The order pages have a link back to `next_url`, the URL of the list.
    """

    def __init__(self, viewer: Viewer, *, next_url: str) -> None:
        self._now, self._zone = viewer.now, viewer.zone
        self._may_cancel = viewer.actor.may(Right.CANCEL)
        self._may_extend = viewer.actor.may(Right.EXTEND)
        self._query = f"?{urlencode({'next': next_url})}" if next_url else ""
        self._orders_url = reverse("order_list")

    def rows(self, listed: Iterable[ListedOrder], *, words: Sequence[str] = ()) -> list[OrderRow]:
        """Return the rows. `words` are the folded words of the search."""
        return [self.row(one, words=words) for one in listed]

    def row(
        self, listed: ListedOrder, *, words: Sequence[str] = (), failed: Operation | None = None
    ) -> OrderRow:
        """Return the row of an order. `failed` is a write that has just ended without effect."""
        hit, created_at = listed.hit, listed.hit.created_at
        path = f"{self._orders_url}{hit.uuid}/"
        return OrderRow(
            id=str(hit.uuid),
            status=hit.status,
            url=f"{path}{self._query}",
            recipient=hit.recipient_name or UNNAMED,
            email=hit.recipient_email,
            gift=gift_text(hit) or NOTHING,
            more=f"+{hit.item_count - 1}" if hit.item_count > 1 else "",
            amount="Unreadable" if hit.is_amount_odd else formats.money(hit.amount_cents),
            amount_under="before tax" if hit.is_before_tax and not hit.is_amount_odd else "",
            sender=hit.sender.partition(" <")[0] or NOTHING,
            batch=formats.short_id(hit.order_batch_id) if hit.order_batch_id else "",
            created=formats.day(created_at, self._zone) if created_at else "",
            created_iso=formats.iso_utc(created_at) if created_at else "",
            missing="Goody does not know it any more" if hit.missing_at else "",
            matched=hidden_match_text(hit, words) if words else "",
            **_badges(listed),
            **self._expiry(hit),
            **self._actions(listed, path),
            **self._pending(listed, path),
            **self._failure(failed or listed.unread, path),
        )

    def _actions(self, listed: ListedOrder, path: str) -> dict[str, str]:
        hit, is_canceled = listed.hit, listed.is_cancel_on_record
        if hit.missing_at:
            # The row says so already, and the order's page asks Goody again.
            return {"cancel_url": "", "extend_url": "", "why": ""}
        cancel = eligibility.may_cancel(hit, now=self._now, is_cancel_on_record=is_canceled)
        extend = eligibility.may_extend(hit, now=self._now, is_cancel_on_record=is_canceled)
        may_cancel = self._may_cancel and cancel.is_allowed
        may_extend = self._may_extend and extend.is_allowed
        return {
            "cancel_url": f"{path}cancel/{self._query}" if may_cancel else "",
            "extend_url": f"{path}expiration/{self._query}" if may_extend else "",
            "why": "" if may_cancel and may_extend else self._refusal(cancel, extend),
        }

    def _refusal(self, cancel: Verdict, extend: Verdict) -> str:
        """Return the reason why an action is not offered; "" if only the role forbids it."""
        refusal = eligibility.joint_refusal(cancel, extend)
        if not refusal and not (self._may_cancel or self._may_extend):
            return "An agent can cancel or extend it."
        return refusal

    def _expiry(self, hit: Hit) -> dict[str, str]:
        if hit.is_expiry_odd:
            return {"expires": "Unreadable", "expires_tone": "is-soon"}
        expiry = eligibility.classify_expiry(hit, self._now)
        if expiry.at is None or expiry.kind is ExpiryKind.IRRELEVANT:
            text = "No expiry" if expiry.kind is ExpiryKind.NONE else NOTHING
            return {"expires": text, "expires_tone": "muted"}
        is_past = expiry.kind is ExpiryKind.PAST
        return {
            "expires": "Expired" if is_past else formats.relative_time(expiry.at, self._now),
            "expires_tone": EXPIRY_TONES[expiry.kind],
            "expires_under": formats.date_time(expiry.at, self._zone),
            "expires_iso": formats.iso_utc(expiry.at),
        }

    def _pending(self, listed: ListedOrder, path: str) -> dict[str, str]:
        """Return the cells of a write whose outcome is not known yet."""
        pending = listed.operation or listed.unread
        if pending is None:
            return {}
        token = poll_token(pending, self._now)
        join = "&" if self._query else "?"
        return {
            "poll_url": f"{path}{self._query}{join}poll={token}",
            "poll_every": poll_interval(pending, self._now),
            **(self._open_write(listed.operation, path) if listed.operation else {}),
        }

    def _open_write(self, operation: Operation, path: str) -> dict[str, str]:
        title = outcome_message(operation, now=self._now, zone=self._zone).title
        asked = request_time_text(operation, now=self._now, zone=self._zone)
        return {
            "busy": f"{title} · {operation.actor_name}, {asked}",
            "busy_url": f"{path}operations/{operation.id}/{self._query}",
        }

    def _failure(self, operation: Operation | None, path: str) -> dict[str, str]:
        if operation is None:
            return {}
        message = outcome_message(operation, now=self._now, zone=self._zone)
        return {
            "failure": message.title,
            "failure_why": f"{message.sentence} {message.next_step}".strip(),
            "failure_url": f"{path}operations/{operation.id}/{self._query}",
        }


def _badges(listed: ListedOrder) -> dict[str, str]:
    first, *others = order_badges(listed.hit, is_cancel_on_record=listed.is_cancel_on_record)
    second = others[0] if others else Badge("", "", "")
    return {
        "tone": first.tone,
        "icon": first.icon,
        "word": first.word,
        "second_tone": second.tone,
        "second_icon": second.icon,
        "second_word": second.word,
    }


def gift_text(hit: Hit) -> str:
    """Return the first item of the cart as "2 × Tea box"; "" if there is none."""
    if not hit.item_count:
        return ""
    name = hit.product or "Unnamed product"
    return f"{hit.quantity} × {name}" if hit.quantity and hit.quantity > 1 else name


_MATCH_ELSEWHERE = "Found in a message or in another item"


def hidden_match_text(hit: Hit, words: Iterable[str]) -> str:
    """Return which field matches searched words that no cell shows: "Brand: Acme"; "" if none."""
    shown = searchable_text(
        f"{hit.recipient_name} {hit.recipient_email} {hit.product} {hit.sender}"
    )
    hidden = [word for word in words if word not in shown]
    return " · ".join(dict.fromkeys(_matching_field(hit, word) for word in hidden))


def _matching_field(hit: Hit, word: str) -> str:
    fields = (
        f"{label}: {text}" for label, text in _hidden_fields(hit) if word in searchable_text(text)
    )
    return next(fields, _MATCH_ELSEWHERE)


def _hidden_fields(hit: Hit) -> Iterator[tuple[str, str]]:
    yield "Brand", hit.brand
    yield "Workspace", hit.workspace
    yield "Receipt", hit.reference_id
    yield from _id_spellings("Batch", hit.order_batch_id)
    yield from _id_spellings("Order id", hit.uuid)


def _id_spellings(label: str, value: UUID | None) -> Iterator[tuple[str, str]]:
    """Yield the id with and without dashes, each as (label, text)."""
    if value is not None:
        yield label, str(value)
        yield label, value.hex
