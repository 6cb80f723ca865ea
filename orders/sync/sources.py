"""What can be walked by windows of creation: Goody's list of orders, and the feed's `created`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from goody.client import Client, RetryPolicy
from goody.types import BadOrder, RawActivityPage, RawPage
from orders.index import Created, Row
from orders.models import CreatedFrom

from .windows import Bounds, instant_of

type Ask = Callable[[Client, RetryPolicy], Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a window's list as it was answered: names of its rows, and the rows.

    `beside` is done in the transaction in which the rows are stored.
    """

    ids: Sequence[object]
    rows: Sequence[Row]
    total: int | None
    beside: Callable[[], object] | None = None


class Source(Protocol):
    @property
    def work_out(self) -> Callable[[Any], Any] | None:
        """What follows from an answer alone, for Call; None where that is little."""

    def ask(self, bounds: Bounds, *, page: int, per_page: int) -> Ask:
        """The call for one page (from 1) of the window."""

    def read(self, answer: Any, bounds: Bounds, *, first: int, total: int | None) -> Page:
        """What the call answered; its first row stands at `first` (from 0) of `total`."""


class Listed(NamedTuple):
    """One page of Goody's list."""

    rows: Sequence[Row]
    total_count: int | None


class Orders:
    """Goody API: GET /v1/orders. Its rows carry no creation time: it is estimated.

    `are_new`: we know next to none of them, so that all that will be stored is worked out at once.
    """

    def __init__(self, *, are_new: bool = False) -> None:
        self._are_new = are_new

    def ask(self, bounds: Bounds, *, page: int, per_page: int) -> Ask:
        return lambda client, policy: client.list_raw_orders(
            page=page,
            per_page=per_page,
            created_after=bounds.after,
            created_before=bounds.before,
            policy=policy,
        )

    def work_out(self, answer: RawPage) -> Listed:
        rows = [Row(raw) for raw in answer.rows]
        for row in rows:
            row.work_out(all_of_it=self._are_new)
        return Listed(rows, answer.total_count)

    def read(self, answer: Listed, bounds: Bounds, *, first: int, total: int | None) -> Page:
        count = total or first + len(answer.rows)
        for n, row in enumerate(answer.rows):
            row.created = Created(instant_of(bounds, first + n, count), CreatedFrom.WINDOW)
        return Page([_name(row) for row in answer.rows], answer.rows, answer.total_count)


def _name(row: Row) -> object:
    """By which a row is told from others: its id, or all of it where that cannot be read."""
    try:
        return row.order_id
    except BadOrder:
        return row.raw


class Births:
    """Goody API: GET /v1/order_activities of `created`: when each order was created."""

    work_out = None

    def ask(self, bounds: Bounds, *, page: int, per_page: int) -> Ask:
        return lambda client, policy: client.list_activities(
            page=page,
            per_page=per_page,
            after=bounds.after,
            before=bounds.before,
            statuses=["created"],
            policy=policy,
        )

    def read(
        self,
        answer: RawActivityPage,
        bounds: Bounds,  # noqa: ARG002
        *,
        first: int,  # noqa: ARG002
        total: int | None,  # noqa: ARG002
    ) -> Page:
        ids = [one.id for one in answer.activities]
        odd = [one.id or one.raw for one in answer.quarantined]
        rows = [
            Row(one.order, Created(one.created_at, CreatedFrom.FEED)) for one in answer.activities
        ]
        return Page([*ids, *odd], rows, answer.total_count)
