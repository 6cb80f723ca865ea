"""The page around the rows of a list: counts, pager, active filters, what an empty one means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from orders import formats
from orders.forms.listing import SIZES, Position, Window, list_url
from orders.services import Listing
from orders.viewer import Viewer

from .marks import Banner
from .rows import Cells, Row, Setting, make_row


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """URLs are "" where there is nowhere to go. `last` is "" too when Goody gave no total."""

    place: str
    first: str
    previous: str
    next: str
    last: str
    position: str
    page: int
    pages: int | None
    sizes: list[Link]
    size: int


@dataclass(frozen=True, slots=True)
class Filter:
    """An active filter in words, and the list without it."""

    text: str
    remove_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Why there is no row: three different things, and none of them "Goody is down"."""

    title: str
    sentence: str
    link: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    rows: list[Row]
    count: str
    announcement: str
    as_of: str
    as_of_iso: str
    pager: Pager
    banners: list[Banner]
    empty: Empty | None
    url: str


def make_page(
    listing: Listing, *, viewer: Viewer, window: Window, size: int, asked: Position
) -> Page:
    """`asked` is the place in the URL, `size` the wanted rows a page."""
    url = list_url(
        window=window, size=size, position=asked if asked.created_before is not None else None
    )
    pager = _pager(listing, window=window, size=size, asked=asked)
    setting = Setting.of(viewer, next_url=url)
    count = _count(listing)
    return Page(
        rows=[make_row(Cells.of(one), setting=setting) for one in listing.rows],
        count=count,
        announcement=f"{count}. {pager.place}.",
        as_of=formats.clock(listing.as_of, viewer.zone),
        as_of_iso=formats.iso(listing.as_of),
        pager=pager,
        banners=_banners(listing),
        empty=_empty(listing, window=window, size=size, pager=pager),
        url=url,
    )


def _count(listing: Listing) -> str:
    if listing.total is None:
        return "Goody gave no total"
    return f"{listing.total:,} order{'' if listing.total == 1 else 's'}"


def _counted(listing: Listing) -> int:
    """How many orders of its own total Goody owes this page."""
    before = (listing.page - 1) * listing.per_page
    return min(listing.per_page, max(0, (listing.total or 0) - before))


def _contradicts_itself(listing: Listing) -> bool:
    found = len(listing.rows) + listing.quarantined
    return listing.total is not None and found != _counted(listing)


def _pages(listing: Listing) -> int | None:
    if listing.total is None:
        return None
    return max(1, -(-listing.total // listing.per_page))


def _pager(listing: Listing, *, window: Window, size: int, asked: Position) -> Pager:
    pages, page = _pages(listing), listing.page
    frozen = replace(asked, page=page).frozen(listing.as_of, _newest(listing))

    def to(number: int | None) -> str:
        if number is None or number == page:
            return ""
        there = replace(frozen, page=number)
        return list_url(window=window, size=listing.per_page, position=there)

    return Pager(
        place=f"Page {page:,} of {pages:,}" if pages else f"Page {page:,}",
        first=list_url(window=window, size=size) if page > 1 else "",
        previous=to(min(page - 1, pages or page - 1)) if page > 1 else "",
        next=to(page + 1) if _has_more(listing, pages) else "",
        last=to(pages) if pages and pages > page else "",
        position=frozen.write(),
        page=page,
        pages=pages,
        sizes=[Link(str(n), list_url(window=window, size=n)) for n in SIZES],
        size=listing.per_page,
    )


def _newest(listing: Listing) -> datetime | None:
    """The latest creation time on the page; None where that of a row is not known."""
    times = [one.created_at for one in listing.rows]
    known = [at for at in times if at is not None]
    is_certain = len(known) == len(times) and not listing.quarantined
    return max(known, default=None) if is_certain else None


def _has_more(listing: Listing, pages: int | None) -> bool:
    if pages is not None:
        return listing.page < pages
    return len(listing.rows) + listing.quarantined >= listing.per_page


def filters_in_words(window: Window, *, size: int) -> list[Filter]:
    filters = []
    if window.after:
        rest = list_url(window=replace(window, after=None), size=size)
        filters.append(Filter(f"Created from {formats.date_in_words(window.after)}", rest))
    if window.before:
        rest = list_url(window=replace(window, before=None), size=size)
        filters.append(Filter(f"Created until {formats.date_in_words(window.before)}", rest))
    return filters


def _banners(listing: Listing) -> list[Banner]:
    banners = []
    if _contradicts_itself(listing):
        found = len(listing.rows) + listing.quarantined
        banners.append(
            Banner(
                tone="bad" if found < _counted(listing) else "warn",
                title="Goody’s answer contradicts itself",
                sentence=f"It counts {_count(listing)}, so that {_counted(listing)} belong on "
                f"this page, and it holds {found}.",
                next_step="Look again before you rely on this page.",
            )
        )
    if listing.quarantined:
        orders = "1 order" if listing.quarantined == 1 else f"{listing.quarantined} orders"
        banners.append(
            Banner(
                tone="warn",
                title=f"{orders} could not be read",
                sentence="Goody sent something that cannot be shown as an order. The others are "
                "complete; admins see what came on the system page.",
            )
        )
    if listing.was_cut:
        banners.append(
            Banner(
                tone="info",
                title=f"Only {listing.per_page} orders a page",
                sentence="Goody's answer was too large for more at a time.",
            )
        )
    return banners


def _empty(listing: Listing, *, window: Window, size: int, pager: Pager) -> Empty | None:
    if listing.rows or listing.quarantined or _contradicts_itself(listing):
        return None
    if listing.page > 1:
        return _beyond_the_end(listing, pager, window=window, size=size)
    if not window.is_open:
        return Empty(
            title="No order matches",
            sentence=f"Goody has none {_in_words(window)}.",
            link=Link("Drop the filter", list_url(window=Window(), size=size)),
        )
    return Empty(
        title="There are no orders yet",
        sentence="Goody answered, and this account has none. Gifts that are sent appear here.",
    )


def _beyond_the_end(listing: Listing, pager: Pager, *, window: Window, size: int) -> Empty:
    if pager.pages is None:
        return Empty(
            title=f"Page {listing.page:,} is past the end",
            sentence="Goody has no orders there.",
            link=Link("First page", list_url(window=window, size=size)),
        )
    place = replace(Position.read(pager.position), page=pager.pages)
    pages = "is 1 page" if pager.pages == 1 else f"are {pager.pages:,} pages"
    return Empty(
        title=f"Page {listing.page:,} is past the end",
        sentence=f"There {pages}.",
        link=Link("Last page", list_url(window=window, size=listing.per_page, position=place)),
    )


def _in_words(window: Window) -> str:
    parts = []
    if window.after:
        parts.append(f"created from {formats.date_in_words(window.after)}")
    if window.before:
        parts.append(f"created until {formats.date_in_words(window.before)}")
    return " and ".join(parts)
