"""The page of expiring gifts: windows, a chart of days, and tables by day, workspace and sender.

Every count is a link to the list of the counted orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from orders import formats
from orders.list_url import EXPIRY_LABELS, Filters
from orders.rights import Right
from orders.search.expiring import GiftTotals
from orders.services.expiring import (
    DAYS,
    EXPIRED,
    ExpirationDay,
    ExpiringGifts,
    GiftGroup,
    GiftGroups,
    first_day,
)
from orders.viewer import Viewer

from .elements import Link
from .expiring_chart import Chart, ChartDay, make_chart
from .filter_form import count_text
from .money import UNKNOWN_YET

DEFAULT_WINDOW = "7d"
_WINDOW_LABELS = {**EXPIRY_LABELS, EXPIRED: f"Expired, last {DAYS} days"}
_TAB_LABELS = {name: label.removeprefix("Next ") for name, label in EXPIRY_LABELS.items()}
_TAB_LABELS[EXPIRED] = "Expired"
_UNREADABLE = "unreadable"


class MoneySum(NamedTuple):
    """A sum of money as text. `left_out` is the number of gifts with an unknown amount, or ""."""

    text: str
    left_out: str


class GiftRow(NamedTuple):
    """A row of a table: the gifts of one window, day, workspace or sender.

    `url` is the list of these orders, `query` its parameters; both are "" if no list shows them.
    """

    name: str
    under: str
    gifts: str
    money: MoneySum
    url: str
    query: str

    @property
    def unit(self) -> str:
        return "gift" if self.gifts == "1" else "gifts"


class GiftTable(NamedTuple):
    """A table of groups. Its last row may be the total of all smaller groups."""

    id: str
    title: str
    head: str
    rows: Sequence[GiftRow]


class WindowTab(NamedTuple):
    label: str
    url: str
    is_current: bool


class ListNote(NamedTuple):
    """A sentence about orders that the page does not count, with a link to their list."""

    text: str
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringPage:
    """`groups` are those of one window, which `tabs` choose. `chart` is None without gifts.

    `days` are the coming days, then the past days, latest first.

    `may_extend`: the person may change the expiration of all gifts of a row at once.
    """

    windows: Sequence[GiftRow]
    chart: Chart | None
    days: Sequence[GiftTable]
    tabs: Sequence[WindowTab]
    groups: Sequence[GiftTable]
    money_note: str
    zone: str
    notes: Sequence[ListNote]
    may_extend: bool


def make_expiring_page(gifts: ExpiringGifts, *, grouped: str, viewer: Viewer) -> ExpiringPage:
    """Return the page. `grouped` names the window to which the groups in `gifts` belong."""
    rows = [_day_row(one, viewer) for one in gifts.days]
    days = list(zip(gifts.days, rows, strict=True))
    total = sum((one.totals for one in gifts.days), GiftTotals())
    chart_days = [_chart_day(one, row) for one, row in days]
    return ExpiringPage(
        windows=[
            _row(_WINDOW_LABELS[name], totals, _window_list(name, viewer))
            for name, totals in gifts.windows.items()
        ],
        chart=make_chart(chart_days, viewer=viewer) if total.gifts else None,
        days=list(_day_tables(days, viewer)),
        tabs=[_tab(name, is_current=name == grouped) for name in gifts.windows],
        groups=list(_group_tables(gifts, _window_list(grouped, viewer))),
        money_note=_money_note(total),
        zone=formats.zone_in_words(viewer.zone, viewer.now),
        notes=list(_notes(gifts)),
        may_extend=viewer.actor.may(Right.BULK) and viewer.actor.may(Right.EXTEND),
    )


def _tab(name: str, *, is_current: bool) -> WindowTab:
    return WindowTab(_TAB_LABELS[name], f"{reverse('expiring')}?expires={name}", is_current)


# --- lists ------------------------------------------------------------------------------------


def _window_list(name: str, viewer: Viewer) -> Filters:
    if name == EXPIRED:
        return Filters(expires=EXPIRED, expires_after=first_day(viewer.clock))
    return Filters(expires=name)


def _day_list(one: ExpirationDay, viewer: Viewer) -> Filters:
    day = Filters(expires_after=one.day, expires_before=one.day)
    if one.span.end == viewer.now:
        return day.replace(expires=EXPIRED)
    # The rest of the present day, which may have 25 hours.
    return day.replace(expires="3d") if one.span.start == viewer.now else day


# --- rows -------------------------------------------------------------------------------------


def _row(name: str, totals: GiftTotals, listed: Filters | None, *, under: str = "") -> GiftRow:
    """Return a row. `listed` are the filters of its list, None if no list shows its orders.

    A row without gifts has no link.
    """
    url, query = (listed.url(), listed.query_string) if listed and totals.gifts else ("", "")
    return GiftRow(name, under, f"{totals.gifts:,}", _money_sum(totals), url, query)


def _day_row(one: ExpirationDay, viewer: Viewer) -> GiftRow:
    start, now = one.span.start, viewer.now
    name = f"{formats.weekday(start, viewer.zone)} {formats.compact_day(start, now, viewer.zone)}"
    under = ""
    if one.span.end == now:
        under = "today, already expired"
    elif start == now:
        under = "today, still to come"
    return _row(name, one.totals, _day_list(one, viewer), under=under)


def _day_tables(
    days: Sequence[tuple[ExpirationDay, GiftRow]], viewer: Viewer
) -> Iterator[GiftTable]:
    counted = [(one, row) for one, row in days if one.totals.gifts]
    to_come = [row for one, row in counted if one.span.end > viewer.now]
    past = [row for one, row in counted if one.span.end <= viewer.now]
    yield GiftTable("days", "Days to come", "To come", to_come)
    yield GiftTable("past-days", "Days that have passed", "Expired", past[::-1])


def _chart_day(one: ExpirationDay, row: GiftRow) -> ChartDay:
    under = f" ({row.under})" if row.under else ""
    money = ", ".join(filter(None, row.money))
    return ChartDay(one, f"{row.name}{under}: {_gifts(one.totals)}, {money}", row.url)


def _group_tables(gifts: ExpiringGifts, window: Filters) -> Iterator[GiftTable]:
    for kind, groups in (("workspace", gifts.workspaces), ("sender", gifts.senders)):
        yield GiftTable(
            f"{kind}s",
            f"By {kind}",
            kind.capitalize(),
            list(_group_rows(groups, kind, window)),
        )


def _group_rows(groups: GiftGroups, kind: str, window: Filters) -> Iterator[GiftRow]:
    for one in groups.largest:
        yield _group_row(one, kind, window)
    if groups.others:
        name = f"{groups.others:,} other {kind}{'' if groups.others == 1 else 's'}"
        yield _row(name, groups.others_totals, None)


def _group_row(one: GiftGroup, kind: str, window: Filters) -> GiftRow:
    if not one.key:
        return _row(f"No {kind} given", one.totals, None)
    name, address = formats.printable_line(one.name) or one.key, ""
    if kind == "sender" and " <" in name:
        name, _, address = name.removesuffix(">").rpartition(" <")
    return _row(name, one.totals, window.replace(**{kind: one.key}), under=address)


def _gifts(totals: GiftTotals) -> str:
    return f"{totals.gifts:,} gift{'' if totals.gifts == 1 else 's'}"


# --- money ------------------------------------------------------------------------------------


def _money_sum(totals: GiftTotals) -> MoneySum:
    """Return the sum of the known amounts. An unknown amount is not zero."""
    kinds = ((totals.unknown, UNKNOWN_YET), (totals.unreadable, _UNREADABLE))
    missing = [(n, words) for n, words in kinds if n]
    left_out = ", ".join(f"{n:,} {words}" for n, words in missing)
    if totals.known:
        return MoneySum(formats.money(totals.cents), left_out)
    if len(missing) == 1:
        return MoneySum(missing[0][1].capitalize(), "")
    return MoneySum(left_out or formats.MISSING_VALUE, "")


def _money_note(totals: GiftTotals) -> str:
    if totals.before_tax == totals.known:
        tax = "before tax"
    else:
        tax = "partly before tax" if totals.before_tax else "with tax"
    return f"Money is what a cancel would release, {tax}."


# --- orders in no figure ----------------------------------------------------------------------


def _notes(gifts: ExpiringGifts) -> Iterator[ListNote]:
    if gifts.unreadable.n:
        is_one = gifts.unreadable.n == 1
        whose = f"{count_text(gifts.unreadable)} unaccepted gift{'' if is_one else 's'}"
        yield ListNote(
            f"The expiration of {whose} cannot be read, so {'it is' if is_one else 'they are'} in "
            "none of these figures.",
            Link("Gifts with unreadable values", Filters(q="is:odd").url()),
        )
    for status, n in gifts.undocumented.items():
        whose = "1 order has" if n == 1 else f"{n:,} orders have"
        yield ListNote(
            f"{whose} the undocumented status “{formats.printable_line(status)}”: whether they can "
            "still be accepted is not known, so they are in none of these figures.",
            Link("Show them", Filters(status=(status,)).url()),
        )
