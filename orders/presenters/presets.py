"""The views of the list that everybody has, as tabs above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goody.types import CANCELABLE
from orders.list_url import Filters
from orders.search import MatchCount

MAX_COUNT = 999


@dataclass(frozen=True, slots=True)
class Preset:
    """A named list that everybody has. Its dates are relative to now.

    `is_counted`: its orders are few, so that counting them is quick. `is_urgent`: a count other
    than 0 is something to do.
    """

    key: str
    name: str
    filters: Filters
    is_counted: bool = False
    is_urgent: bool = False

    @property
    def count_id(self) -> str:
        """The id of the element that shows the count; "" if it is not counted."""
        return f"count-{self.key}" if self.is_counted else ""


PRESETS = (
    Preset("attention", "Needs attention", Filters(attention=True), True, True),
    Preset("expiring", "Expiring in 7 days", Filters(expires="7d"), True),
    Preset("expired", "Expired, not accepted", Filters(expires="expired"), True),
    Preset("trouble", "Delivery trouble", Filters(delivery=True), True, True),
    Preset("payment", "Payment pending", Filters(payment=True), True, True),
    Preset("open", "Not accepted", Filters(status=tuple(CANCELABLE))),
    Preset("this-month", "This month", Filters(created="this-month")),
    Preset("last-month", "Last month", Filters(created="last-month")),
)


def current_preset(filters: Filters) -> Preset | None:
    """Return the preset with the same conditions as a list; sort and columns may differ."""
    if filters.view is not None:
        return None
    return next((one for one in PRESETS if one.filters == filters.conditions_only), None)


@dataclass(frozen=True, slots=True)
class TabCount:
    """The count of a preset's orders as text, and the id of the element that shows it."""

    id: str
    text: str


def tab_counts(counts: Mapping[str, MatchCount]) -> Sequence[TabCount]:
    """Return the counts by the keys of the presets; none is shown as "0"."""
    return [
        TabCount(one.count_id, tab_count_text(counts[one.key]))
        for one in PRESETS
        if one.key in counts
    ]


def tab_count_text(count: MatchCount | None) -> str:
    if count is None or not count.n:
        return ""
    return f"{count.n:,}{'+' if count.is_capped else ''}"
