"""The steps of an order from creation to delivery, or to its end."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from goody.types import ENDED, ORDER_STATUSES, EventTimes, Order
from orders import formats
from orders.days import RequestClock
from orders.models import Operation
from orders.outcomes import is_confirmed_by_goody

from .raw_values import RawValues


class OrderStep(NamedTuple):
    """A step of an order.

    `state` is done, now, unknown, ahead or ended; `current` is "step" (for aria-current) or "".
    `iso`, `when` ("12 Mar, 23:59") and `at` (with year and zone) are "" if the time is unknown;
    `missing` is then shown in its place.
    """

    name: str
    label: str
    state: str
    word: str
    current: str
    iso: str
    when: str
    at: str
    missing: str = ""


class _Stage(NamedTuple):
    """A stage of a gift's life.

    `field` is the stage's field of EventTimes, "" if there is none. An optional stage is shown only
    if the order is in it or has a time for it.
    """

    status: str
    field: str
    is_optional: bool = False

    @property
    def path(self) -> str:
        return f"event_times.{self.field}"


_STAGES = (
    _Stage("created", "created_at"),
    _Stage("notified", "notified_at"),
    _Stage("opened", "opened_at"),
    _Stage("accepted", "accepted_at"),
    _Stage("pending_payment", "pending_payment_at", is_optional=True),
    _Stage("paid", "paid_at"),
    _Stage("ordered", "", is_optional=True),
    _Stage("shipped", "shipped_at"),
    _Stage("delivered", "delivered_at"),
)
_RANKS = {stage.status: rank for rank, stage in enumerate(_STAGES)}
_WORDS = {
    "done": "done",
    "now": "now",
    "unknown": "time unknown",
    "ahead": "not reached",
    "ended": "the end",
}


class OrderEnd(NamedTuple):
    """The end of an order: "Canceled by Ana Agent". `at` is None if the time is not known."""

    label: str
    at: datetime | None


def order_end(order: Order, cancel: Operation | None) -> OrderEnd | None:
    """Return how the order ended; None for an order that has not ended.

    `cancel` is the applied cancel that was made here, if any.
    """
    if order.status not in ENDED:
        return None
    if cancel is not None and is_confirmed_by_goody(cancel):
        return OrderEnd(f"Canceled by {cancel.actor_name}", cancel.closed_at)
    label = formats.status_name(order.status, is_cancel_on_record=cancel is not None)
    return OrderEnd(label, None)


def applied_cancel(operations: tuple[Operation, ...]) -> Operation | None:
    return next((one for one in operations if one.is_cancel_in_force), None)


def order_steps(
    order: Order, raw: RawValues, *, end: OrderEnd | None, clock: RequestClock
) -> list[OrderStep]:
    """Return the steps of an order.

    A stage is only done if Goody gives its time, even if a later stage has one: an earlier stage
    without a time may have been skipped, since Goody publishes no state machine. An ended order has
    only the stages with a time, and its end.
    """
    rank = _RANKS.get(order.status, -1)
    stages = [(number - rank, stage, _time(order, stage)) for number, stage in enumerate(_STAGES)]
    if end is not None:
        reached = [
            _step(stage, "done" if at else "unknown", at, raw, clock)
            for _, stage, at in stages
            if at or raw.unreadable(stage.path)
        ]
        return [*reached, _end_step(end, clock)]
    # What an undocumented status comes after is not known.
    later = "ahead" if order.status in ORDER_STATUSES else "unknown"
    return [
        _step(stage, _state(distance, at, later), at, raw, clock)
        for distance, stage, at in stages
        if at or not distance or not stage.is_optional
    ]


def _time(order: Order, stage: _Stage) -> datetime | None:
    times: EventTimes | None = order.event_times
    at: datetime | None = getattr(times, stage.field, None) if times and stage.field else None
    return at


def _state(distance: int, at: datetime | None, later: str) -> str:
    """Return the state of a stage.

    `distance` is counted from the present stage; `later` is the state of a stage after it.
    """
    if distance == 0:
        return "now"
    if at is not None:
        return "done"
    return "unknown" if distance < 0 else later


def _step(
    stage: _Stage, state: str, at: datetime | None, raw: RawValues, clock: RequestClock
) -> OrderStep:
    missing = _WORDS["unknown"] if state == "unknown" else ""
    return OrderStep(
        stage.status,
        formats.status_name(stage.status),
        state,
        _WORDS[state],
        "step" if state == "now" else "",
        *_times(at, clock),
        missing=raw.unreadable(stage.path) or missing,
    )


def _end_step(end: OrderEnd, clock: RequestClock) -> OrderStep:
    return OrderStep(
        "ended",
        end.label,
        "ended",
        _WORDS["ended"],
        "step",
        *_times(end.at, clock),
        missing="" if end.at else _WORDS["unknown"],
    )


def _times(at: datetime | None, clock: RequestClock) -> tuple[str, str, str]:
    if at is None:
        return "", "", ""
    short = formats.compact_date_time(at, clock.now, clock.zone)
    return formats.iso_utc(at), short, formats.date_time(at, clock.zone)
