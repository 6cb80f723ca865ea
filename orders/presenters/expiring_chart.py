"""A bar chart of the gifts that expire on each day, as coordinates for its template.

Horizontal positions are percentages, so that the chart fits any width without scaling its texts;
vertical positions are pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from orders import formats
from orders.services.expiring import DAYS, ExpirationDay
from orders.viewer import Viewer

# Above the bars is room for their numbers, below for two lines of labels.
_TOP, _PLOT, _BOTTOM = 20, 160, 36
_MAX_TICKS = 4
# The share of a column that its bar fills.
_FILLED = 0.72
_LABEL_EVERY = 7
# Shorter numbers fit above a bar.
_FULL_NUMBERS = 10_000


class ChartDay(NamedTuple):
    """A day with the text of its tooltip and the URL of its list."""

    day: ExpirationDay
    title: str
    url: str


class Tick(NamedTuple):
    y: str
    label: str


class Bar(NamedTuple):
    """A bar with the number above it."""

    x: str
    y: str
    width: str
    height: str
    number: str
    number_y: str


class Column(NamedTuple):
    """A day, or a part of the present one. `bar` is None for a day without gifts.

    `day` and `month` are below the column if the chart is wide enough, else `label`; each may be
    "".
    """

    x: str
    width: str
    center: str
    bar: Bar | None
    title: str
    url: str
    is_past: bool
    day: str
    month: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`now_x` is the position of the present instant, "" if no column begins there."""

    height: int
    top: int
    base: int
    days_y: int
    months_y: int
    ticks: Sequence[Tick]
    columns: Sequence[Column]
    now_x: str


def make_chart(days: Sequence[ChartDay], *, viewer: Viewer) -> Chart:
    """Return the chart of consecutive days, of which at least one has gifts."""
    most = max(one.day.totals.gifts for one in days)
    step = _step(most)
    highest = -(-most // step) * step
    base = _TOP + _PLOT
    past = sum(one.day.is_past for one in days)
    return Chart(
        height=base + _BOTTOM,
        top=_TOP,
        base=base,
        days_y=base + 15,
        months_y=base + 31,
        ticks=[Tick(f"{_y(n / highest):.1f}", f"{n:,}") for n in range(0, highest + 1, step)],
        columns=list(_columns(days, highest, viewer)),
        now_x=_percent(past / len(days)),
    )


def _columns(days: Sequence[ChartDay], highest: int, viewer: Viewer) -> Iterator[Column]:
    width = 1 / len(days)
    today = formats.convert_to_zone(viewer.now, viewer.zone).date()
    for number, (one, title, url) in enumerate(days):
        gifts = one.totals.gifts
        is_today = one.day == today
        yield Column(
            x=_percent(number * width),
            width=_percent(width),
            center=_percent((number + 0.5) * width),
            bar=_bar(number * width, width, gifts, highest) if gifts else None,
            title=title,
            url=url,
            is_past=one.is_past,
            # The present day has a label of its own, between its two parts.
            day="" if is_today else str(one.day.day),
            month=_month(one.day) if number == 0 or one.day.day == 1 else "",
            label="" if is_today else _rare_label(one.day, today),
        )


def _bar(x: float, width: float, gifts: int, highest: int) -> Bar:
    # A single gift among thousands is still seen.
    height = max(2.0, _PLOT * gifts / highest)
    y = _TOP + _PLOT - height
    return Bar(
        x=_percent(x + width * (1 - _FILLED) / 2),
        y=f"{y:.1f}",
        width=_percent(width * _FILLED),
        height=f"{height:.1f}",
        number=f"{gifts:,}" if gifts < _FULL_NUMBERS else f"{gifts // 1000:,}k",
        number_y=f"{y - 5:.1f}",
    )


def _step(most: int) -> int:
    """Return the distance of the ticks: 1, 2 or 5 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= factor * step * _MAX_TICKS:
                return factor * step
        step *= 10


def _y(share: float) -> float:
    return _TOP + _PLOT * (1 - share)


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"


def _month(day: date) -> str:
    return formats.month_in_words(day).split()[0]


def _rare_label(day: date, today: date) -> str:
    """Return a label for every seventh day, with the month when it changes; "" for other days."""
    distance = (day - today).days
    if distance % _LABEL_EVERY:
        return ""
    is_first = distance == -DAYS
    before = day - timedelta(days=_LABEL_EVERY)
    return f"{day.day} {_month(day)}" if is_first or before.month != day.month else str(day.day)
