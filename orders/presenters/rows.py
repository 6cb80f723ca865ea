"""The rows of a list of orders as texts for the template.

The rules for actions, expirations and outcomes are in orders.eligibility and orders.outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse

from orders import eligibility, formats
from orders.eligibility import ExpiryKind
from orders.formats import MISSING_VALUE
from orders.models import BlockingJob, Operation
from orders.outcomes import outcome_message
from orders.rights import Right
from orders.search import Hit
from orders.services import ListedOrder
from orders.text import fold_text, searchable_text
from orders.viewer import Viewer

from .job_texts import blocked_by_job_sentence
from .operations import poll_interval, poll_token, request_time_text
from .order_sections import UNNAMED
from .status import EXPIRY_TONES, Badge, order_badges


class OrderRow(NamedTuple):
    """The cells of a row as texts, "" if empty.

    The tag `render_rows` renders each pattern of empty cells once. URLs are relative to the list,
    since a page has hundreds of them; the pages of an order learn from the referrer which list
    they were opened from.
    """

    id: str
    url: str
    status: str
    recipient: str
    email: str
    gift: str
    # The badge: its color, its icon, the classes for both, and its text.
    tone: str
    icon: str
    badge: str
    word: str
    # A second badge, for trouble with delivery or payment, or an outcome that is being checked.
    second_badge: str
    second_word: str
    amount: str
    before_tax: str
    sender: str
    sender_url: str
    batch: str
    batch_url: str
    created: str
    workspace: str
    brand: str
    receipt: str
    expires: str
    expires_tone: str
    # "" if the action is not offered. If none is, `why` is the reason and `why_sentence` explains.
    cancel_url: str
    extend_url: str
    why: str = ""
    why_sentence: str = ""
    # For a date that still matters.
    expires_at: str = ""
    # An open write, or a job in which the order waits, replaces the actions until it is closed.
    busy: str = ""
    busy_by: str = ""
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

    URLs are relative to the list, unless `next_url` is given: then they are absolute, and the order
    pages have a link back to it.
    """

    def __init__(self, viewer: Viewer, *, next_url: str = "") -> None:
        self._prefix = reverse("order_list") if next_url else ""
        self._query = f"?{urlencode({'next': next_url})}" if next_url else ""
        self._now, self._zone = viewer.now, viewer.zone
        self._year = formats.convert_to_zone(viewer.now, viewer.zone).year
        self._may_cancel = viewer.actor.may(Right.CANCEL)
        self._may_extend = viewer.actor.may(Right.EXTEND)
        self._has_actions = shows_action_column(viewer)

    def build_rows(
        self, listed: Iterable[ListedOrder], *, words: Sequence[str] = ()
    ) -> list[OrderRow]:
        """Return the rows. `words` are the folded words of the search."""
        return [self.build_row(one, words=words) for one in listed]

    def build_row(
        self, listed: ListedOrder, *, words: Sequence[str] = (), failed: Operation | None = None
    ) -> OrderRow:
        """Return the row of an order. `failed` is a write that has just ended without effect."""
        hit = listed.hit
        url = f"{self._prefix}{hit.uuid}/"
        sender, sender_key = _sender(hit.sender)
        created_at, batch, zone = hit.created_at, hit.order_batch_id, self._zone
        return OrderRow(
            id=str(hit.uuid),
            url=f"{url}{self._query}",
            status=hit.status,
            recipient=hit.recipient_name or UNNAMED,
            email=hit.recipient_email,
            gift=cart_text(hit) or MISSING_VALUE,
            amount="Unreadable" if hit.is_amount_odd else formats.money(hit.amount_cents),
            before_tax="before-tax" if hit.is_before_tax and not hit.is_amount_odd else "",
            sender=sender,
            sender_url=f"?sender={sender_key}" if sender_key else "",
            batch=formats.id_prefix(batch) if batch else "",
            batch_url=f"?batch={str(batch)[:_BATCH_LETTERS]}" if batch else "",
            created=formats.day_omitting_year(created_at, zone, year=self._year)
            if created_at
            else "",
            workspace=hit.workspace,
            brand=hit.brand,
            receipt=hit.reference_id,
            missing="Goody does not know it any more" if hit.missing_at else "",
            matched=hidden_match_text(hit, words) if words else "",
            **_badges(listed),
            **self._expiry(hit),
            # A write that is under way says more than the job that it belongs to.
            **{**self._actions(listed, url), **self._pending(listed, url)},
            **self._failure(failed or listed.unread, url),
        )

    def _actions(self, listed: ListedOrder, url: str) -> dict[str, str]:
        hit, is_canceled = listed.hit, listed.is_cancel_on_record
        if listed.job is not None:
            return self._waits_in_job(listed.job)
        if hit.missing_at or not self._has_actions:
            # The row says that it is missing, and the order's page asks Goody again.
            return {"cancel_url": "", "extend_url": ""}
        cancel = eligibility.may_cancel(hit, now=self._now, is_cancel_on_record=is_canceled)
        extend = eligibility.may_extend(hit, now=self._now, is_cancel_on_record=is_canceled)
        may_cancel = self._may_cancel and cancel.is_allowed
        may_extend = self._may_extend and extend.is_allowed
        if may_cancel or may_extend:
            return {
                "cancel_url": f"{url}cancel/" if may_cancel else "",
                "extend_url": f"{url}expiration/" if may_extend else "",
            }
        refused = extend if cancel.is_allowed else cancel
        return {
            "cancel_url": "",
            "extend_url": "",
            # Its badge says that a delivery failed, and its page shows which.
            "why": "See order" if hit.has_delivery_trouble else refused.word,
            "why_sentence": eligibility.joint_refusal_sentence(cancel, extend),
        }

    def _waits_in_job(self, job: BlockingJob) -> dict[str, str]:
        """Return the cells of an order that takes no change before its job has ended."""
        return {
            "cancel_url": "",
            "extend_url": "",
            "busy": "Open job",
            "busy_by": blocked_by_job_sentence(job),
            "busy_url": reverse("job", args=[job.pk]),
        }

    def _expiry(self, hit: Hit) -> dict[str, str]:
        if hit.is_expiry_odd:
            return {"expires": "Unreadable", "expires_tone": "is-soon"}
        expiry = eligibility.classify_expiry(hit, self._now)
        if expiry.at is None or expiry.kind is ExpiryKind.IRRELEVANT:
            text = "No expiry" if expiry.kind is ExpiryKind.NONE else MISSING_VALUE
            return {"expires": text, "expires_tone": "muted"}
        distance = formats.relative_time(expiry.at, self._now)
        return {
            "expires": f"Expired {distance}" if expiry.kind is ExpiryKind.PAST else distance,
            "expires_tone": EXPIRY_TONES[expiry.kind],
            "expires_at": _minute(expiry.at, self._zone, self._year),
        }

    def _pending(self, listed: ListedOrder, url: str) -> dict[str, str]:
        """Return the cells of a write whose outcome is not known yet."""
        pending = listed.operation or listed.unread
        if pending is None:
            return {}
        return {
            "poll_url": f"{url}?poll={poll_token(pending, self._now)}",
            "poll_every": poll_interval(pending, self._now),
            **(self._open_write(listed.operation, url) if listed.operation else {}),
        }

    def _open_write(self, operation: Operation, url: str) -> dict[str, str]:
        asked = request_time_text(operation, now=self._now, zone=self._zone)
        return {
            "busy": outcome_message(operation, now=self._now, zone=self._zone).title,
            "busy_by": f"{operation.actor_name}, {asked}",
            "busy_url": f"{url}operations/{operation.id}/",
        }

    def _failure(self, operation: Operation | None, url: str) -> dict[str, str]:
        if operation is None:
            return {}
        message = outcome_message(operation, now=self._now, zone=self._zone)
        return {
            "failure": message.title,
            "failure_why": f"{message.sentence} {message.next_step}".strip(),
            "failure_url": f"{url}operations/{operation.id}/",
        }


def shows_action_column(viewer: Viewer) -> bool:
    """Whether rows have a column for the actions of the person."""
    return viewer.actor.may(Right.CANCEL) or viewer.actor.may(Right.EXTEND)


@lru_cache(maxsize=4096)
def _minute(at: datetime, zone: ZoneInfo, year: int) -> str:
    """Return day and minute ("28 Nov, 23:59"), in another year only the day ("28 May 2027").

    The zone is that of the whole list.
    """
    if formats.convert_to_zone(at, zone).year != year:
        return formats.day(at, zone)
    return formats.date_time_omitting_year(at, zone, year=year)


@lru_cache(maxsize=4096)
def _sender(sender: str) -> tuple[str, str]:
    """Return the name of a sender ("Ana Bolena <ana@acme.example>"), and the key for a URL."""
    name, _, rest = sender.partition(" <")
    return name or MISSING_VALUE, quote_plus(fold_text(rest.removesuffix(">") or name), safe="@")


# The beginning of a batch's id that is enough to tell it from all others.
_BATCH_LETTERS = 13
# The qualification of a status by a write whose outcome is not known.
_NO_BADGE = Badge("", "", "")


def _badges(listed: ListedOrder) -> dict[str, str]:
    first, *others = order_badges(
        listed.hit,
        is_cancel_on_record=listed.is_cancel_on_record,
        operation=listed.operation,
        job=listed.job,
    )
    second = others[0] if others else _NO_BADGE
    return {
        "tone": first.tone,
        "icon": first.icon,
        "badge": _classes(first),
        "word": first.word,
        "second_badge": _classes(second) if others else "",
        "second_word": second.short or second.word,
    }


# The icons of list.css for a tone.
_ICONS = {
    "neutral": "circle",
    "busy": "busy",
    "warn": "alert",
    "good": "check",
    "bad": "alert",
    "ended": "ban",
}


def _classes(badge: Badge) -> str:
    """Return the classes of a badge for its tone and its icon, without those of a plain badge."""
    tone = "" if badge.tone == "neutral" else f"badge--{badge.tone}"
    icon = "" if _ICONS[badge.tone] == badge.icon else f"icon--{badge.icon}"
    return f"{tone} {icon}".strip()


def cart_text(hit: Hit) -> str:
    """Return the gift as "2 × Tea box +1", with the number of other items; "" if it has none."""
    text = gift_text(hit)
    return f"{text} +{hit.item_count - 1}" if hit.item_count > 1 else text


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
