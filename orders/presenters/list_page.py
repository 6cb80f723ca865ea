"""A page of the list of orders and the elements around its rows, from Goody or the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from orders import formats
from orders.list_url import PAGE_SIZES, Filters
from orders.models import Finding
from orders.search import MatchCount
from orders.viewer import Viewer

from .elements import Banner, Link
from .rows import OrderRow


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNumberForm:
    """The form to go to a page by its number. `hidden` are the other parameters of the list."""

    pages: int | None
    hidden: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """The links to other pages.

    A URL is "" if there is no such page. `last` is also "" if Goody gave no total.
    """

    place: str
    first: str
    previous: str
    next: str
    last: str
    sizes: Sequence[Link]
    size: str
    goto: PageNumberForm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyList:
    """The explanation of an empty list, with links to other lists."""

    title: str
    sentence: str
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """A page of the list.

    `as_of` is the time of Goody's response, "" for a page from the index, whose age is in the page
    frame. `note` is a remark about the rows. `changes_url` returns the number of changed rows.
    """

    rows: Sequence[OrderRow]
    caption: str
    count: str
    announcement: str
    pager: Pager | None
    banners: Sequence[Banner]
    empty: EmptyList | None
    url: str
    as_of: str = ""
    as_of_iso: str = ""
    note: str = ""
    # The number of orders for the title of the page; "" if it is not known.
    number: str = ""
    changes_url: str = ""
    # Of the list, None if it is not known.
    match_count: MatchCount | None = None


def time_zone_sentence(viewer: Viewer) -> str:
    """Return a sentence with the zone of all times in the list."""
    return f"Times are in {formats.zone_in_words(viewer.zone, viewer.now)}."


def page_size_links(filters: Filters) -> list[Link]:
    return [Link(str(size), filters.replace(per_page=size).url()) for size in PAGE_SIZES]


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """The summary above the list of a finding.

    `copy` has the identifiers that were not found, one per line.
    """

    title: str
    missing: list[str]
    unasked: list[str]
    left_out: list[str]
    hidden: list[str]
    copy: str
    cut: str
    kept: str


def finding_summary(finding: Finding, *, zone: ZoneInfo) -> FindingSummary:
    orders, missing = len(finding.order_ids), len(finding.missing)
    counts = [f"{orders:,} {'order' if orders == 1 else 'orders'} found"]
    if missing:
        counts.append(f"{missing:,} {'value' if missing == 1 else 'values'} not found")
    if finding.unasked:
        counts.append(f"{len(finding.unasked):,} not known")
    if finding.left_out:
        counts.append(f"{len(finding.left_out):,} left out")
    if finding.hidden:
        counts.append(f"{len(finding.hidden):,} unreadable")
    return FindingSummary(
        title=", ".join(counts),
        missing=finding.missing,
        unasked=finding.unasked,
        left_out=finding.left_out,
        hidden=finding.hidden,
        copy="\n".join(finding.missing + finding.unasked),
        cut=_CUT if finding.was_cut else "",
        kept=f"Kept for you until {formats.date_time(finding.expires_at, zone)}.",
    )


_CUT = (
    "The text names more than is looked up at once: only the first 1,000 things it names and the "
    "newest 1,000 orders are here."
)
