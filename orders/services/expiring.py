"""Unaccepted gifts by the day of their expiration, before and after now.

Days are calendar days of a zone, with the length that daylight saving gives them; a day that the
zone skips is left out. Windows are those of the list's filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from orders.days import RequestClock, start_of_day
from orders.search import MatchCount, expiry_preset_fields
from orders.search.expiring import GiftTotals, LargestLabels, TimeSpan, sum_expirations
from orders.search.labels import LabelSuggestion

# Before and after the present day.
DAYS = 14
EXPIRED = "expired"
WINDOWS = ("24h", "3d", "7d", "14d", EXPIRED)
MAX_GROUPS = 20

_DAY = timedelta(days=1)
_NOTHING = GiftTotals()
_UNNAMED = LabelSuggestion("", "")


@dataclass(frozen=True, slots=True)
class ExpirationDay:
    """A day, or the part of the present day before or after now, with its gifts."""

    day: date
    span: TimeSpan
    is_past: bool
    totals: GiftTotals


@dataclass(frozen=True, slots=True)
class GiftGroup:
    """The gifts of a workspace or sender. `key` and `name` are its label's, "" without a label."""

    key: str
    name: str
    totals: GiftTotals


@dataclass(frozen=True, slots=True)
class GiftGroups:
    """The groups with the most gifts, and the number and the totals of all other groups."""

    largest: Sequence[GiftGroup]
    others: int
    others_totals: GiftTotals


@dataclass(frozen=True, slots=True)
class ExpiringGifts:
    """The totals of each day and window, and the groups of one window.

    `unreadable` and `undocumented` are those of `ExpirationSums`.
    """

    days: Sequence[ExpirationDay]
    windows: Mapping[str, GiftTotals]
    workspaces: GiftGroups
    senders: GiftGroups
    unreadable: MatchCount
    undocumented: Mapping[str, int]


def first_day(clock: RequestClock) -> date:
    """Return the first day whose expirations are counted."""
    return clock.now.astimezone(clock.zone).date() - DAYS * _DAY


def expiring_gifts(clock: RequestClock, *, grouped: str) -> ExpiringGifts:
    """Return the gifts around now; `grouped` names the window of the groups, one of WINDOWS.

    Raises SearchTimeout.
    """
    days = list(_days(clock))
    windows = {name: _window(name, clock) for name in WINDOWS}
    bounds = sorted({at for span in (*(one[1] for one in days), *windows.values()) for at in span})
    sums = sum_expirations(bounds, window=windows[grouped], labels=MAX_GROUPS)
    # The last bound starts no interval.
    found = list(zip(bounds, sums.intervals, strict=False))

    def total(span: TimeSpan) -> GiftTotals:
        return sum((one for at, one in found if span.start <= at < span.end), _NOTHING)

    return ExpiringGifts(
        days=[ExpirationDay(day, span, is_past, total(span)) for day, span, is_past in days],
        windows={name: total(window) for name, window in windows.items()},
        workspaces=_groups(sums.workspaces, sums.names, total(windows[grouped])),
        senders=_groups(sums.senders, sums.names, total(windows[grouped])),
        unreadable=sums.unreadable,
        undocumented=sums.undocumented,
    )


def _days(clock: RequestClock) -> Iterator[tuple[date, TimeSpan, bool]]:
    """Yield (day, span, whether it is past). The present day is split at the present time."""
    now, zone = clock
    first = first_day(clock)
    for day in (first + number * _DAY for number in range(2 * DAYS + 1)):
        start, end = start_of_day(day, zone), start_of_day(day + _DAY, zone)
        if start < now < end:
            yield day, TimeSpan(start, now), True
            yield day, TimeSpan(now, end), False
        elif start < end:
            yield day, TimeSpan(start, end), end <= now


def _window(name: str, clock: RequestClock) -> TimeSpan:
    if name == EXPIRED:
        return TimeSpan(start_of_day(first_day(clock), clock.zone), clock.now)
    fields = expiry_preset_fields(name, now=clock.now)
    return TimeSpan(fields["expires_from"], fields["expires_until"])


def _groups(
    labels: LargestLabels, names: Mapping[int, LabelSuggestion], total: GiftTotals
) -> GiftGroups:
    """Return the groups by name; `total` is that of all labels."""
    largest = [
        GiftGroup(*names.get(pk or 0, _UNNAMED), totals) for pk, totals in labels.totals.items()
    ]
    others = total - sum(labels.totals.values(), _NOTHING)
    return GiftGroups(largest, labels.number - len(largest), others)
