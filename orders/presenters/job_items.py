"""The items of a job: the rows of its table, and the counts by outcome that filter it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.urls import reverse

from orders import formats
from orders.days import RequestClock
from orders.eligibility import snapshot_expiration
from orders.formats import MISSING_VALUE
from orders.models import ItemState, Job, JobCounts, JobItem, Operation
from orders.outcomes import is_confirmed_by_goody, outcome_message

from .job_texts import item_badge
from .operations import operation_url
from .order_sections import UNNAMED

# The states of items behind each filter.
OUTCOMES: dict[str, tuple[ItemState, ...]] = {
    "todo": (ItemState.RUNNING, ItemState.WAITING, ItemState.PENDING),
    "done": (ItemState.DONE,),
    "skipped": (ItemState.SKIPPED,),
    "failed": (ItemState.FAILED,),
    "unknown": (ItemState.UNKNOWN,),
    "not_run": (ItemState.NOT_RUN,),
}
_LABELS = {
    "todo": "To do",
    "done": "Done",
    "skipped": "Skipped",
    "failed": "Failed",
    "unknown": "Unknown",
    "not_run": "Not run",
}
_NEED_ATTENTION = ("failed", "unknown")


class OutcomeTab(NamedTuple):
    """A tab that shows the items with one outcome, with their number."""

    label: str
    number: str
    css: str
    url: str
    is_current: bool


def outcome_tabs(job: Job, counts: JobCounts, *, current: str) -> list[OutcomeTab]:
    """Return a tab for all items and one for each outcome; `current` is the chosen outcome or "".

    Outcomes without items have a tab as well, because tabs that appear later would move the others.
    """
    url = reverse("job", args=[job.pk])
    tabs = [OutcomeTab("All", f"{job.total:,}", "", url, not current)]
    for key, states in OUTCOMES.items():
        number = sum(getattr(counts, state) for state in states)
        css = "count--warn" if number and key in _NEED_ATTENTION else ""
        link = f"{url}?outcome={key}"
        tabs.append(OutcomeTab(_LABELS[key], f"{number:,}", css, link, key == current))
    return tabs


class ItemRow(NamedTuple):
    """The cells of an item as texts, "" if empty, for the tag `render_rows`."""

    position: str
    order_url: str
    recipient: str
    email: str
    gift: str
    amount: str
    before_tax: str
    expiration: str
    other_expiration: str
    tone: str
    icon: str
    word: str
    operation_url: str
    sentence: str


def item_rows(items: Iterable[JobItem], *, clock: RequestClock) -> list[ItemRow]:
    """Return the rows of items, which are loaded with their operations."""
    return [_row(item, clock) for item in items]


def _row(item: JobItem, clock: RequestClock) -> ItemRow:
    name, email = snapshot_recipient(item.snapshot)
    cents, is_before_tax = snapshot_amount(item.snapshot)
    expiration, other = _expirations(item, clock)
    badge = item_badge(item)
    return ItemRow(
        position=str(item.position),
        order_url=reverse("order_detail", args=[item.order_uuid]),
        recipient=name or UNNAMED,
        email=email,
        gift=_gift(item.snapshot),
        amount=formats.money(cents),
        before_tax="before-tax" if is_before_tax and cents is not None else "",
        expiration=expiration,
        other_expiration=other,
        tone=badge.tone,
        icon=badge.icon,
        word=badge.short or badge.word,
        operation_url=operation_url(item.operation) if item.operation else "",
        sentence=item_sentence(item, clock),
    )


def _expirations(item: JobItem, clock: RequestClock) -> tuple[str, str]:
    """Return a gift's expiration, and a text about the other one: "was 3 Dec", "or 12 Dec".

    The first is the new one after an extension, or before the item was run; else the former one.
    """
    former_at = snapshot_expiration(item.snapshot)
    former = _brief(former_at, clock) if former_at else "none"
    new = _brief(item.expiration, clock) if item.expiration else MISSING_VALUE
    match ItemState(item.state):
        case ItemState.DONE:
            return new, f"was {former}"
        case ItemState.UNKNOWN:
            return former, f"or {new}"
        case ItemState.SKIPPED | ItemState.FAILED | ItemState.NOT_RUN:
            return former, "when selected"
    return new, f"now {former}"


def _brief(at: datetime, clock: RequestClock) -> str:
    return formats.compact_date_time(at, clock.now, clock.zone)


def _gift(snapshot: Mapping[str, Any]) -> str:
    """Return the cart as "2 × Tea box +1"."""
    cart: Sequence[Sequence[Any]] = snapshot.get("cart") or ()
    if not cart:
        return MISSING_VALUE
    quantity, name = cart[0]
    text = name or "Unnamed product"
    text = f"{quantity} × {text}" if quantity and quantity > 1 else text
    return f"{text} +{len(cart) - 1}" if len(cart) > 1 else text


# --- values of the snapshot that was made when the order was selected --------------------------


def snapshot_recipient(snapshot: Mapping[str, Any]) -> tuple[str, str]:
    """Return name and address, "" if missing."""
    name, email = snapshot.get("recipient") or ("", "")
    return name or "", email or ""


def snapshot_amount(snapshot: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Return the amount in US cents, and whether it is before tax."""
    pre_tax, _, total = snapshot.get("amounts") or (None, None, None)
    return (total, False) if total is not None else (pre_tax, True)


def released_amount_text(items: Iterable[Mapping[str, Any]]) -> str:
    """Return the sum that canceling the orders releases: "about $5,230.00 before tax".

    Return "" if no amount is known.
    """
    amounts = [snapshot_amount(snapshot) for snapshot in items]
    known = [cents for cents, _ in amounts if cents is not None]
    if not known:
        return ""
    is_before_tax = any(before for cents, before in amounts if cents is not None)
    total = formats.money(sum(known))
    text = f"about {total} before tax" if is_before_tax else total
    missing = len(amounts) - len(known)
    return f"{text}, and {missing:,} of unknown amount" if missing else text


def item_sentence(item: JobItem, clock: RequestClock) -> str:
    """Return the explanation of an item's outcome; "" if the badge needs none."""
    operation = item.operation
    if operation is None or not _is_told_by_operation(item, operation):
        return item.detail
    message = outcome_message(operation, now=clock.now, zone=clock.zone)
    was_found_later = item.state != ItemState.DONE and operation.effect_seen_at is not None
    # What a later read showed contradicts the badge.
    if was_found_later or operation.contradicted_at is not None:
        return f"{message.title}. {message.sentence}"
    return message.sentence


def _is_told_by_operation(item: JobItem, operation: Operation) -> bool:
    if item.state == ItemState.DONE:
        return not is_confirmed_by_goody(operation) or operation.contradicted_at is not None
    if item.state == ItemState.NOT_RUN:
        # Goody refused the last attempt, and a read showed the order as requested after all.
        return operation.effect_seen_at is not None
    return item.state in (ItemState.FAILED, ItemState.UNKNOWN)
