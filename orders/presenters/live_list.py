"""A page of Goody's own list: counts, pager and the explanation of an empty page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from orders import formats
from orders.list_url import Filters, LivePosition
from orders.services import LivePage
from orders.viewer import Viewer

from .elements import Banner, Link
from .list_page import (
    EmptyList,
    ListPage,
    PageNumberForm,
    Pager,
    page_size_links,
    time_zone_sentence,
)
from .rows import RowBuilder


def make_live_page(
    listing: LivePage, *, viewer: Viewer, filters: Filters, position: LivePosition
) -> ListPage:
    """Return the page. `position` comes from the URL."""
    url = filters.url(position=position.serialize() if position.created_before else "")
    frozen = replace(position, page=listing.page).with_time_bound(listing.as_of, _newest(listing))
    pager = _pager(listing, filters=filters, frozen=frozen)
    count = _count(listing)
    return ListPage(
        rows=RowBuilder(viewer).build_rows(listing.rows),
        caption="Orders, newest first as Goody gives them. "
        f"{pager.place}. {time_zone_sentence(viewer)}",
        count=count,
        announcement=f"{count}. {pager.place}.",
        as_of=formats.date_time(listing.as_of, viewer.zone),
        as_of_iso=formats.iso_utc(listing.as_of),
        pager=pager if _has_other_pages(pager) else None,
        banners=list(_banners(listing)),
        empty=_empty(listing, filters=filters, frozen=frozen),
        url=url,
    )


def _has_other_pages(pager: Pager) -> bool:
    return bool(pager.first or pager.previous or pager.next)


def _count(listing: LivePage) -> str:
    if listing.total is None:
        return "Goody gave no total"
    return f"{listing.total:,} order{'' if listing.total == 1 else 's'}"


def _received(listing: LivePage) -> int:
    return len(listing.rows) + listing.quarantined


def _expected(listing: LivePage) -> int:
    """Return the number of orders that this page should have according to Goody's total."""
    before = (listing.page - 1) * listing.per_page
    return min(listing.per_page, max(0, (listing.total or 0) - before))


def _is_inconsistent(listing: LivePage) -> bool:
    return listing.total is not None and _received(listing) != _expected(listing)


def _page_count(listing: LivePage) -> int | None:
    if listing.total is None:
        return None
    return max(1, -(-listing.total // listing.per_page))


def _pager(listing: LivePage, *, filters: Filters, frozen: LivePosition) -> Pager:
    pages, page = _page_count(listing), listing.page
    # Goody's answer may have fewer rows per page than requested.
    current = filters.replace(per_page=listing.per_page)

    def page_url(number: int | None) -> str:
        if number is None or number == page:
            return ""
        return current.url(position=replace(frozen, page=number).serialize())

    return Pager(
        place=f"Page {page:,} of {pages:,}" if pages else f"Page {page:,}",
        first=filters.url() if page > 1 else "",
        previous=page_url(min(page - 1, pages or page - 1)) if page > 1 else "",
        next=page_url(page + 1) if _has_more(listing, pages) else "",
        last=page_url(pages) if pages and pages > page else "",
        sizes=page_size_links(filters),
        size=str(listing.per_page),
        goto=PageNumberForm(
            pages=pages, hidden=[("position", frozen.serialize()), *current.non_default_params()]
        ),
    )


def _newest(listing: LivePage) -> datetime | None:
    """Return the latest creation time on the page; None if one of the rows has none."""
    times = [one.hit.created_at for one in listing.rows]
    known = [at for at in times if at is not None]
    is_complete = len(known) == len(times) and not listing.quarantined
    return max(known, default=None) if is_complete else None


def _has_more(listing: LivePage, pages: int | None) -> bool:
    if pages is not None:
        return listing.page < pages
    return _received(listing) >= listing.per_page


def _banners(listing: LivePage) -> Iterator[Banner]:
    if _is_inconsistent(listing):
        yield _inconsistent(listing)
    if listing.quarantined:
        orders = "1 order" if listing.quarantined == 1 else f"{listing.quarantined} orders"
        yield Banner(
            tone="warn",
            title=f"{orders} could not be read",
            sentence="Goody sent something that cannot be shown as an order. The others are "
            "complete; admins see what came on the system page.",
        )
    if listing.was_cut:
        yield Banner(
            tone="info",
            title=f"Only {listing.per_page} orders a page",
            sentence="Goody's answer was too large for more at a time.",
        )


def _inconsistent(listing: LivePage) -> Banner:
    received, expected = _received(listing), _expected(listing)
    return Banner(
        tone="bad" if received < expected else "warn",
        title="Goody’s answer contradicts itself",
        sentence=f"It counts {_count(listing)}, so that {expected} belong on this page, and it "
        f"holds {received}.",
        next_step="Look again before you rely on this page.",
    )


def _empty(listing: LivePage, *, filters: Filters, frozen: LivePosition) -> EmptyList | None:
    if _received(listing) or _is_inconsistent(listing):
        return None
    if listing.page > 1:
        return _past_the_end(listing, filters=filters, frozen=frozen)
    if not filters.is_unfiltered:
        return EmptyList(
            title="No order matches",
            sentence=f"Goody has none {_created_text(filters)}.",
            links=[Link("Drop the filter", filters.without_conditions().url())],
        )
    return EmptyList(
        title="There are no orders yet",
        sentence="Goody answered, and this account has none. Gifts that are sent appear here.",
    )


def _past_the_end(listing: LivePage, *, filters: Filters, frozen: LivePosition) -> EmptyList:
    title, pages = f"Page {listing.page:,} is past the end", _page_count(listing)
    if pages is None:
        return EmptyList(
            title=title,
            sentence="Goody has no orders there.",
            links=[Link("First page", filters.url())],
        )
    position = replace(frozen, page=pages).serialize()
    last_url = filters.replace(per_page=listing.per_page).url(position=position)
    return EmptyList(
        title=title,
        sentence="There is 1 page." if pages == 1 else f"There are {pages:,} pages.",
        links=[Link("Last page", last_url)],
    )


def _created_text(filters: Filters) -> str:
    bounds = (("created from", filters.created_after), ("created until", filters.created_before))
    return " and ".join(f"{what} {formats.date_in_words(day)}" for what, day in bounds if day)
