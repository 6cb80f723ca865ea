"""The place in a list, as its URL names it: opaque, signed, and of one of two kinds.

A list of Goody's is counted in pages up to a frozen creation time; a list from the index is read
from a key on, so that it neither shifts nor slows down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import signing

from orders.search import Key
from orders.search.query import Sort

_CLOCKS_APART = timedelta(seconds=30)
# Goody prints whole seconds and may store finer ones: bounds are rounded up.
_FRACTION = timedelta(seconds=1)
_signer = signing.Signer(salt="orders.list.position")


class BadPosition(Exception):
    """The place in the list was not written by us."""


@dataclass(frozen=True, slots=True)
class Position:
    """A page of Goody's list as it stood when its first page was asked for.

    `created_before` (aware UTC) keeps orders that came since from shifting the pages. The first
    page of all has none: it shows the newest.
    """

    page: int = 1
    created_before: datetime | None = None

    def write(self) -> str:
        before = self.created_before
        return _signer.sign_object((self.page, int(before.timestamp()) if before else 0))

    def frozen(self, now: datetime, newest: datetime | None = None) -> Position:
        """The place to which other pages are counted.

        `newest` is the latest creation time on the first page, None where one is not known there.
        No order of that page may lie past the bound: the others would move up, and some would
        fall between two pages. Our clock may run behind Goody's, so that without `newest` the
        bound lies ahead. What remains then: orders that come meanwhile show a row twice, and
        clocks that are still further apart skip one.
        """
        if self.created_before is not None:
            return self
        latest = now + _CLOCKS_APART if newest is None else max(now, newest)
        return replace(self, created_before=latest.replace(microsecond=0) + _FRACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page of a list from the index: what follows a row, or (`is_backwards`) what precedes it.

    `key` is the row's (orders.search), None for an end of the list. `sort` is what the key was
    made for. `ordinal` counts the first row of the page from 1, 0 where that is not known.
    """

    key: Key | None = None
    sort: Sort | None = None
    ordinal: int = 1
    is_backwards: bool = False

    def write(self) -> str:
        key = list(self.key) if self.key is not None else None
        sort = self.sort.value if self.sort else ""
        return _signer.sign_object(["index", key, sort, self.ordinal, self.is_backwards])


def read_position(text: str) -> Position | Place | None:
    """What the URL names; None for the first page of either kind. Raises BadPosition for what
    neither `write` wrote.
    """
    if not text:
        return None
    try:
        given = _signer.unsign_object(text)
        return _place(*given) if given[0] == "index" else _page(*given)
    except (signing.BadSignature, ValueError, TypeError, KeyError, IndexError) as error:
        raise BadPosition from error


def _page(page: int, before: int) -> Position:
    return Position(page, datetime.fromtimestamp(before, UTC) if before else None)


def _place(_: str, key: Any, sort: str, ordinal: int, is_backwards: bool) -> Place:
    return Place(
        key=Key(*key) if key is not None else None,
        sort=Sort(sort) if sort else None,
        ordinal=ordinal,
        is_backwards=is_backwards,
    )
