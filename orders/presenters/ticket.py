"""The page of a pasted ticket: its author, the orders that it names, and unknown identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orders import formats
from orders.list_url import Filters
from orders.models import Finding
from orders.search import MatchCount
from orders.services import findings
from orders.text import fold_text
from orders.viewer import Viewer

from .elements import Link
from .filter_form import count_text
from .list_page import FindingSummary, finding_summary
from .rows import OrderRow

type _Match = Mapping[str, Any]
# Orders with a row; the list of the finding has all.
MAX_ROWS = 100

_ROLES = dict(Finding.Role.choices)
# What the person who wrote has to do with an order.
_WRITER_TITLES = {Finding.Role.RECIPIENT: "Received", Finding.Role.SENDER: "Sent"}


@dataclass(frozen=True, slots=True)
class TicketGroup:
    """Rows under a title, and a link to all such orders if there are more, else None."""

    title: str
    rows: list[OrderRow]
    more: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    """A ticket's orders. `writer` is the address of the person who wrote, "" if it is not known.

    `groups` are the orders that the writer received and sent. `rows` are the other orders, each
    with the value of the text that it matches, in the order of the text. `more` has a link for each
    value that matches more orders than are shown.
    """

    title: str
    list_url: str
    writer: str
    groups: list[TicketGroup]
    rows: list[OrderRow]
    more: list[Link]
    found: FindingSummary

    @property
    def has_writers_orders(self) -> bool:
        return any(one.rows for one in self.groups)


def shown_order_ids(finding: Finding) -> list[str]:
    """Return the ids of the orders with a row, in the order in which the text names them."""
    ids = dict.fromkeys(one for match in finding.matches for one in match["orders"])
    return list(ids)[:MAX_ROWS]


def ticket_page(finding: Finding, rows: Mapping[str, OrderRow], *, viewer: Viewer) -> TicketPage:
    """Return the page. `rows` are the rows of orders by id, without those that are gone."""
    groups = [_group(role, finding, rows) for role in _WRITER_TITLES] if finding.writer else []
    others = [one for one in finding.matches if not _is_writers(one, finding)]
    named = len({one["named"] for one in finding.matches})
    total = named + len(finding.missing) + len(finding.unasked)
    return TicketPage(
        title=f"{named:,} of {total:,} named value{'' if total == 1 else 's'} found",
        list_url=finding_list_url(finding),
        writer=finding.writer,
        groups=groups,
        rows=list(_rows(others, rows)),
        more=[link for one in others if (link := _more(one))],
        found=finding_summary(finding, zone=viewer.zone),
    )


def finding_list_url(finding: Finding) -> str:
    return Filters(finding=finding.pk).url()


def _is_writers(match: _Match, finding: Finding) -> bool:
    return match["role"] in _WRITER_TITLES and match["named"] == finding.writer


def _group(role: Finding.Role, finding: Finding, rows: Mapping[str, OrderRow]) -> TicketGroup:
    """Return the writer's orders in a role, perhaps none."""
    matches = [one for one in finding.matches if _is_writers(one, finding) and one["role"] == role]
    found = [rows[one] for match in matches for one in match["orders"] if one in rows]
    return TicketGroup(_WRITER_TITLES[role], found, _more(matches[0]) if matches else None)


def _rows(matches: list[_Match], rows: Mapping[str, OrderRow]) -> Iterator[OrderRow]:
    """Yield the rows of all orders, each once, with everything that matched."""
    matched: dict[str, list[str]] = {}
    for match in matches:
        for order_id in match["orders"]:
            text = f"{_ROLES[match['role']]} {_short(match['named'])}"
            matched.setdefault(order_id, []).append(text)
    for order_id, texts in matched.items():
        if order_id in rows:
            yield rows[order_id]._replace(matched=" · ".join(texts))


def _short(named: str) -> str:
    """Return an id in its short form; other values unchanged."""
    try:
        return formats.id_prefix(UUID(named))
    except ValueError:
        return named


def _more(match: _Match) -> Link | None:
    if match["count"] <= len(match["orders"]):
        return None
    named = match["named"]
    filters = {
        Finding.Role.SENDER: Filters(sender=fold_text(named)),
        Finding.Role.BATCH: Filters(batch=named),
    }.get(match["role"], Filters(q=named))
    count = MatchCount(match["count"], False)
    if match["count"] > findings.MOST_ORDERS:
        count = MatchCount(findings.MOST_ORDERS, True)
    label = f"All {count_text(count)} orders: {_ROLES[match['role']].lower()} {named}"
    return Link(label, filters.url())
