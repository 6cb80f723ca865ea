"""A page of the list and what stands around its rows, be it Goody's or from the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .marks import Banner
from .rows import Row


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Goto:
    """The form that leads to a page by its number; `hidden` is what it carries along."""

    pages: int | None
    hidden: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """URLs are "" where there is nowhere to go. `last` is "" too when Goody gave no total."""

    place: str
    first: str
    previous: str
    next: str
    last: str
    sizes: Sequence[Link]
    size: str
    goto: Goto | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Why there is no row: different things, and none of them "Goody is down"."""

    title: str
    sentence: str
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`as_of` is when Goody gave it, "" where it is from the index, whose age stands in the frame;
    `note` is what else is to be known of its rows, `watch_url` says whether something has changed.
    `best` has no URL where the best matches are first.
    """

    rows: Sequence[Row]
    caption: str
    count: str
    announcement: str
    pager: Pager | None
    banners: Sequence[Banner]
    empty: Empty | None
    url: str
    as_of: str = ""
    as_of_iso: str = ""
    note: str = ""
    best: Link | None = None
    facets_url: str = ""
    watch_url: str = ""
