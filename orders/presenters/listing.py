"""A page of Goody's own list: counts, pager, what an empty one means."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orders import formats
from orders.forms.filters import SIZES, Filters
from orders.forms.positions import Position
from orders.services import Listing
from orders.viewer import Viewer

from .marks import Banner
from .pages import Empty, Goto, Link, Page, Pager
from .rows import Cells, Setting, make_row


def make_page(listing: Listing, *, viewer: Viewer, filters: Filters, asked: Position) -> Page:
    """`asked` is the place in the URL."""
    url = filters.url(position=asked.write() if asked.created_before is not None else "")
    frozen = replace(asked, page=listing.page).frozen(listing.as_of, _newest(listing))
    pager = _pager(listing, filters=filters, frozen=frozen)
    setting = Setting.of(viewer, next_url=url)
    count = _count(listing)
    return Page(
        rows=[make_row(Cells.of(one), setting=setting) for one in listing.rows],
        caption=f"Orders, newest first as Goody gives them. {pager.place}.",
        count=count,
        announcement=f"{count}. {pager.place}.",
        as_of=formats.date_time(listing.as_of, viewer.zone),
        as_of_iso=formats.iso(listing.as_of),
        pager=pager,
        banners=_banners(listing),
        empty=_empty(listing, filters=filters, frozen=frozen),
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


def _pager(listing: Listing, *, filters: Filters, frozen: Position) -> Pager:
    pages, page = _pages(listing), listing.page
    # Goody's answer may hold fewer rows a page than were wanted.
    here = filters.but(per_page=listing.per_page)

    def to(number: int | None) -> str:
        if number is None or number == page:
            return ""
        return here.url(position=replace(frozen, page=number).write())

    return Pager(
        place=f"Page {page:,} of {pages:,}" if pages else f"Page {page:,}",
        first=filters.url() if page > 1 else "",
        previous=to(min(page - 1, pages or page - 1)) if page > 1 else "",
        next=to(page + 1) if _has_more(listing, pages) else "",
        last=to(pages) if pages and pages > page else "",
        sizes=[Link(str(n), filters.but(per_page=n).url()) for n in SIZES],
        size=str(listing.per_page),
        goto=Goto(pages=pages, hidden=[("position", frozen.write()), *here.params()]),
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


def _empty(listing: Listing, *, filters: Filters, frozen: Position) -> Empty | None:
    if listing.rows or listing.quarantined or _contradicts_itself(listing):
        return None
    if listing.page > 1:
        return _beyond_the_end(listing, filters=filters, frozen=frozen)
    if not filters.is_everything:
        return Empty(
            title="No order matches",
            sentence=f"Goody has none {_in_words(filters)}.",
            links=[Link("Drop the filter", filters.cleared().url())],
        )
    return Empty(
        title="There are no orders yet",
        sentence="Goody answered, and this account has none. Gifts that are sent appear here.",
    )


def _beyond_the_end(listing: Listing, *, filters: Filters, frozen: Position) -> Empty:
    title, pages = f"Page {listing.page:,} is past the end", _pages(listing)
    if pages is None:
        return Empty(
            title=title,
            sentence="Goody has no orders there.",
            links=[Link("First page", filters.url())],
        )
    last = filters.but(per_page=listing.per_page).url(position=replace(frozen, page=pages).write())
    return Empty(
        title=title,
        sentence="There is 1 page." if pages == 1 else f"There are {pages:,} pages.",
        links=[Link("Last page", last)],
    )


def _in_words(filters: Filters) -> str:
    parts = []
    if filters.created_after:
        parts.append(f"created from {formats.date_in_words(filters.created_after)}")
    if filters.created_before:
        parts.append(f"created until {formats.date_in_words(filters.created_before)}")
    return " and ".join(parts)
