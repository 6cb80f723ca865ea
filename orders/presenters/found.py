"""A page of the list from the index: its rows, its count, its pager."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orders.forms.filters import SIZES, Filters
from orders.forms.positions import Place
from orders.search import Count, Key
from orders.search.query import Query, Sort
from orders.services import Found
from orders.viewer import Viewer

from .filters import SORTED
from .freshness import Freshness
from .matches import matched
from .pages import Empty, Link, Page, Pager
from .rows import Cells, Row, Setting, make_row
from .watching import seen_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the list was asked for: `place` is the one in the URL, None for the first page."""

    filters: Filters
    query: Query
    place: Place | None

    @property
    def url(self) -> str:
        return self.filters.url(position=self.place.write() if self.place else "")


def make_found_page(found: Found, *, asked: Asked, freshness: Freshness, viewer: Viewer) -> Page:
    setting = Setting.of(viewer, next_url=asked.url)
    found = _counted_as_seen(found, asked)
    pager = _pager(found, asked)
    count = _count_in_words(found.count, is_complete=freshness.is_complete)
    return Page(
        rows=_rows(found, asked.query, setting),
        caption=f"Orders, {SORTED[asked.query.order]}. {pager.place}.",
        count=count,
        announcement=f"{count}. {pager.place}.",
        pager=pager,
        note=freshness.note,
        banners=freshness.banners,
        empty=None,
        url=asked.url,
        best=_best(asked),
        facets_url=asked.filters.url(name="order_facets"),
        watch_url=_watch_url(found, asked),
    )


def _best(asked: Asked) -> Link | None:
    """That the best matches are first, or the way to that; None where nothing can match better."""
    if not asked.query.names:
        return None
    is_so = asked.query.order is Sort.BEST
    return Link("Best match first", "" if is_so else asked.filters.but(sort=Sort.BEST).url())


def _counted_as_seen(found: Found, asked: Asked) -> Found:
    """With a count that is not less than what stands here: it may be a lower bound."""
    if found.count is None:
        return found
    before = max(0, _ordinal(found, asked) - 1)
    return replace(found, count=found.count.at_least(before + len(found.rows)))


def _watch_url(found: Found, asked: Asked) -> str:
    position = asked.place.write() if asked.place else ""
    url = asked.filters.url(position=position, name="order_changes")
    return f"{url}{'&' if '?' in url else '?'}seen={seen_token(found.hits)}"


def page_instead(why: Empty, *, asked: Asked, freshness: Freshness) -> Page:
    """A page that says why there is no list."""
    return Page(
        rows=(),
        caption="",
        count="",
        announcement=why.title,
        pager=None,
        note=freshness.note,
        banners=freshness.banners,
        empty=why,
        url=asked.url,
    )


def _rows(found: Found, query: Query, setting: Setting) -> list[Row]:
    words = query.words
    return [
        make_row(
            Cells.found(one, matched=matched(one.hit, words) if words else ""), setting=setting
        )
        for one in found.rows
    ]


def _count_in_words(count: Count | None, *, is_complete: bool) -> str:
    if count is None:
        return "Too many to count"
    more = "+" if count.is_capped else ""
    orders = f"{count.n:,}{more} order{'' if count.n == 1 and not more else 's'}"
    return orders if is_complete else f"{orders} imported so far"


def _pager(found: Found, asked: Asked) -> Pager:
    filters, size = asked.filters, asked.filters.per_page
    first = _ordinal(found, asked)

    def to(key: Key | None, *, ordinal: int, is_backwards: bool) -> str:
        place = Place(key=key, sort=asked.query.order, ordinal=ordinal, is_backwards=is_backwards)
        return filters.url(position=place.write())

    after = first + len(found.rows) if first else 0
    before = max(1, first - size) if first else 0
    return Pager(
        place=_place_in_words(found, first),
        first=filters.url() if found.previous else "",
        previous=to(found.previous, ordinal=before, is_backwards=True) if found.previous else "",
        next=to(found.next, ordinal=after, is_backwards=False) if found.next else "",
        last=to(None, ordinal=0, is_backwards=True) if found.next else "",
        sizes=[Link(str(n), filters.but(per_page=n).url()) for n in SIZES],
        size=str(size),
    )


def _ordinal(found: Found, asked: Asked) -> int:
    """The number of the first row in the whole list, 0 where it is not known."""
    if found.previous is None:
        return 1
    count, is_last = found.count, found.next is None
    if is_last and count is not None and not count.is_capped:
        return max(1, count.n - len(found.rows) + 1)
    # Orders that came meanwhile stand before the first page that was shown.
    return max(2, asked.place.ordinal) if asked.place and asked.place.ordinal else 0


def _place_in_words(found: Found, first: int) -> str:
    rows, count = len(found.rows), found.count
    if not rows:
        return "Nothing here"
    if not first:
        return f"The last {rows:,}" if found.next is None else f"{rows:,} orders"
    place = f"{first:,}–{first + rows - 1:,}" if rows > 1 else f"{first:,}"
    if count is None:
        return place
    return f"{place} of {count.n:,}{'+' if count.is_capped else ''}"
