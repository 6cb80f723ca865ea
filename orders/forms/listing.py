"""What the list of orders is asked for by its URL: creation window, page size, place.

Goody's creation bounds are inclusive at both ends (GET /v1/orders: created_at[after] and
created_at[before]); days are the viewer's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core import signing
from django.urls import reverse

from orders.days import start_of

from .days import DayField

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50
MOST_PAGES = 1_000_000
_CLOCKS_APART = timedelta(seconds=30)
# Goody prints whole seconds and may store finer ones: bounds are rounded up.
_FRACTION = timedelta(seconds=1)
_signer = signing.Signer(salt="orders.list.position")


class BadPosition(Exception):
    """The place in the list was not written by us."""


@dataclass(frozen=True, slots=True)
class Position:
    """A page of the list as it stood when its first page was asked for.

    `created_before` (aware UTC) keeps orders that came since from shifting the pages. The first
    page of all has none: it shows the newest.
    """

    page: int = 1
    created_before: datetime | None = None

    @classmethod
    def read(cls, text: str) -> Position:
        """Raise BadPosition for anything that `write` did not write."""
        if not text:
            return cls()
        try:
            page, before = _signer.unsign_object(text)
            return cls(page, datetime.fromtimestamp(before, UTC) if before else None)
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise BadPosition from error

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
class Window:
    """The creation window: days as typed, both included."""

    after: date | None = None
    before: date | None = None

    @property
    def is_open(self) -> bool:
        return self.after is None and self.before is None

    def bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """First and last second (aware UTC) of the days in the zone, skipped hours minded."""
        start = start_of(self.after, zone) if self.after else None
        if self.before is None:
            return start, None
        next_day = start_of(self.before + timedelta(days=1), zone)
        return start, next_day - timedelta(seconds=1)


def list_url(*, window: Window, size: int, position: Position | None = None) -> str:
    """The address of a list; the first page of all without a position."""
    query: dict[str, Any] = {}
    if window.after:
        query["created_after"] = window.after.isoformat()
    if window.before:
        query["created_before"] = window.before.isoformat()
    if size != DEFAULT_SIZE:
        query["per_page"] = size
    if position is not None:
        query["position"] = position.write()
    path = reverse("order_list")
    return f"{path}?{urlencode(query)}" if query else path


class ListingForm(forms.Form):
    created_after = DayField(
        label="Created from",
        invalid="“Created from” is not a date. Write it as YYYY-MM-DD.",
    )
    created_before = DayField(
        label="Created until",
        invalid="“Created until” is not a date. Write it as YYYY-MM-DD.",
    )
    per_page = forms.TypedChoiceField(
        required=False,
        choices=[(size, str(size)) for size in SIZES],
        coerce=int,
        empty_value=DEFAULT_SIZE,
        error_messages={"invalid_choice": "A page has 25, 50 or 100 orders."},
    )
    position = forms.CharField(required=False, max_length=400)
    goto = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PAGES,
        error_messages={
            "invalid": "“Go to page” is not a whole number.",
            "min_value": "Pages are counted from 1.",
            "max_value": "There are not that many pages.",
        },
    )

    def clean_position(self) -> Position:
        try:
            return Position.read(self.cleaned_data["position"])
        except BadPosition as error:
            raise forms.ValidationError(
                "This address does not name a place in the list: it was altered or copied in part."
            ) from error

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        after, before = values.get("created_after"), values.get("created_before")
        if after and before and after > before:
            self.add_error("created_before", "“Created until” is before “Created from”.")
        return values

    @property
    def window(self) -> Window:
        """Valid days of the window, also when something else is wrong."""
        values = self.cleaned_data
        return Window(after=values.get("created_after"), before=values.get("created_before"))

    @property
    def sentences(self) -> list[str]:
        """All that is wrong, one sentence each."""
        return [str(error) for errors in self.errors.values() for error in errors]
