"""Sums of the unaccepted gifts by time of expiration, workspace and sender.

They are read from the index orders_order_unaccepted_expires, which covers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from goody.types import CANCELABLE, ORDER_STATUSES
from orders.models import Label

from .context import SearchResources
from .deadline import SEARCH_SECONDS, SearchDeadline, time_limit
from .labels import LabelSuggestion
from .query_runner import MatchCount
from .sql import IndexScan, Row, SqlFragment

MAX_UNREADABLE = 1_000
_INDEX = "orders_order_unaccepted_expires"


@dataclass(frozen=True, slots=True)
class GiftTotals:
    """A number of unaccepted gifts and their total amount in US cents.

    `cents` is the sum of the known amounts; for `before_tax` of the gifts that is an amount without
    tax. The amount of `unknown` gifts is not known yet, that of `unreadable` gifts cannot be read.
    """

    gifts: int = 0
    cents: int = 0
    unknown: int = 0
    unreadable: int = 0
    before_tax: int = 0

    def __add__(self, other: GiftTotals) -> GiftTotals:
        return GiftTotals(
            self.gifts + other.gifts,
            self.cents + other.cents,
            self.unknown + other.unknown,
            self.unreadable + other.unreadable,
            self.before_tax + other.before_tax,
        )

    def __sub__(self, other: GiftTotals) -> GiftTotals:
        return GiftTotals(
            self.gifts - other.gifts,
            self.cents - other.cents,
            self.unknown - other.unknown,
            self.unreadable - other.unreadable,
            self.before_tax - other.before_tax,
        )

    @property
    def known(self) -> int:
        """The number of gifts whose amount is known."""
        return self.gifts - self.unknown - self.unreadable


class TimeSpan(NamedTuple):
    """A span of aware instants; its start is included, its end is not."""

    start: datetime
    end: datetime


class LargestLabels(NamedTuple):
    """The labels of one kind with the most gifts, and the number of all of them.

    `totals` is by the row id of the label, None for gifts without one, largest first.
    """

    totals: dict[int | None, GiftTotals]
    number: int


@dataclass(frozen=True, slots=True)
class ExpirationSums:
    """The totals between each two consecutive bounds, and the largest labels in one window.

    `names` has the keys and names of these labels by row id. `unreadable` is the number of
    unaccepted gifts whose expiration cannot be read. `undocumented` has the number of orders in
    each status that Goody does not document: whether they can still be accepted is not known.
    """

    intervals: Sequence[GiftTotals]
    workspaces: LargestLabels
    senders: LargestLabels
    names: dict[int, LabelSuggestion]
    unreadable: MatchCount
    undocumented: dict[str, int]


def sum_expirations(bounds: Sequence[datetime], *, window: TimeSpan, labels: int) -> ExpirationSums:
    """Return the sums between ascending, aware `bounds`.

    It also returns the workspaces and the senders with the most gifts within `window`, at most
    `labels` of each. Raises SearchTimeout.
    """
    with time_limit(SEARCH_SECONDS) as deadline:
        context = SearchResources(deadline)
        workspaces, senders = _labels(context, window, limit=labels)
        return ExpirationSums(
            _intervals(context, bounds),
            workspaces,
            senders,
            _names(deadline, (workspaces, senders)),
            _unreadable(context),
            _undocumented(context),
        )


# Literals, in the order of the index: a partial index serves no other statuses, and no parameters.
_UNACCEPTED = f"status IN ({', '.join(f"'{status}'" for status in CANCELABLE)})"
_WHERE = f"{_UNACCEPTED} AND expires_at >= %s AND expires_at < %s"
_TOTALS = (
    "count(*) AS gifts,"
    " coalesce(sum(amount_cents) FILTER (WHERE NOT is_amount_odd), 0) AS cents,"
    " count(*) FILTER (WHERE amount_cents IS NULL AND NOT is_amount_odd) AS unknown,"
    " count(*) FILTER (WHERE is_amount_odd) AS unreadable,"
    " count(*) FILTER (WHERE is_before_tax AND NOT is_amount_odd) AS before_tax"
)
_SUMS = ", ".join(
    f"sum({name}) AS {name}" for name in ("gifts", "cents", "unknown", "unreadable", "before_tax")
)


def _intervals(context: SearchResources, bounds: Sequence[datetime]) -> list[GiftTotals]:
    rows = SqlFragment(f"FROM {_table(context, _INDEX)} WHERE {_UNACCEPTED}")
    sql = context.dialect.aggregate_intervals(_TOTALS, rows, "expires_at", bounds)
    found = {number: _totals(totals) for number, *totals in context.deadline.fetch_rows(*sql)}
    return [found.get(number, GiftTotals()) for number in range(len(bounds) - 1)]


def _labels(
    context: SearchResources, window: TimeSpan, *, limit: int
) -> tuple[LargestLabels, LargestLabels]:
    """Return the largest workspaces and senders.

    The gifts of a batch expire together, so most are summed in the order of the index first, and
    few rows are left to sort.
    """
    kinds = ("workspace_id", "sender_id")
    named = ", ".join(kinds)
    together = (
        f"SELECT expires_at, {named}, {_TOTALS} FROM {_table(context, _INDEX)} WHERE {_WHERE}"  # noqa: S608
        f" GROUP BY expires_at, {named}"
    )
    pairs = f"SELECT {named}, {_SUMS} FROM ({together}) together GROUP BY {named}"  # noqa: S608
    arms = (_largest(column, limit) for column in kinds)
    rows = context.deadline.fetch_rows(
        f"WITH pairs AS MATERIALIZED ({pairs}) {' UNION ALL '.join(arms)}",
        [context.dialect.to_parameter(at) for at in window],
    )
    workspaces, senders = ([row[1:] for row in rows if row[0] == kind] for kind in kinds)
    return _largest_labels(workspaces), _largest_labels(senders)


def _largest(column: str, limit: int) -> str:
    """Return SQL for (column, label, number of labels, totals)."""
    return (
        f"SELECT * FROM (SELECT '{column}' AS kind, {column}, count(*) OVER () AS labels, {_SUMS}"  # noqa: S608
        f" FROM pairs GROUP BY {column}"
        f" ORDER BY gifts DESC, cents DESC, coalesce({column}, 0) LIMIT {limit})"
        f" {column}_sums"
    )


def _largest_labels(rows: Sequence[Row]) -> LargestLabels:
    return LargestLabels(
        {label: _totals(row) for label, _, *row in rows}, int(rows[0][1]) if rows else 0
    )


def _names(deadline: SearchDeadline, kinds: Iterable[LargestLabels]) -> dict[int, LabelSuggestion]:
    ids = [pk for kind in kinds for pk in kind.totals if pk is not None]
    labels = Label.objects.filter(pk__in=ids).values_list("pk", "key", "name")
    return {pk: LabelSuggestion(key, name) for pk, key, name in deadline.fetch_all(labels)}


def _table(context: SearchResources, index: str) -> str:
    return context.dialect.from_clause(IndexScan(SqlFragment(""), index=index), "")


def _totals(row: Sequence[int]) -> GiftTotals:
    # PostgreSQL returns sums as Decimal.
    return GiftTotals(*map(int, row))


def _unreadable(context: SearchResources) -> MatchCount:
    found = (
        f"SELECT 1 FROM {_table(context, 'orders_order_odd')}"  # noqa: S608
        f" WHERE is_odd AND is_expiry_odd AND {_UNACCEPTED} LIMIT {MAX_UNREADABLE + 1}"
    )
    n = int(context.deadline.fetch_rows(f"SELECT count(*) FROM ({found}) found")[0][0])  # noqa: S608
    return MatchCount(min(n, MAX_UNREADABLE), is_capped=n > MAX_UNREADABLE)


def _undocumented(context: SearchResources) -> dict[str, int]:
    sql = "SELECT status, sum(n) FROM orders_ordercount GROUP BY status ORDER BY status"
    rows = context.deadline.fetch_rows(sql)
    return {status: int(n) for status, n in rows if n and status not in ORDER_STATUSES}
