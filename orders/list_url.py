"""The state of a list of orders in its URL: filters, sort, page size and position.

`Filters` is made from a URL and serializes to the same URL. Each parameter corresponds to a small
`Query`; the list runs them merged with the query of the search box. Validation is in
orders.forms.listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, reduce
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core import signing
from django.urls import get_script_prefix, reverse

from orders.days import RequestClock, start_of_day
from orders.search import PageKey, expiry_preset_fields
from orders.search.dates import PastWindows, TimeWindow, parse_time_window
from orders.search.query import FilterChoice, Query, Sort

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50

# Values of the parameter `expires`.
EXPIRY_LABELS = {
    "24h": "Next 24 hours",
    "3d": "Next 3 days",
    "7d": "Next 7 days",
    "14d": "Next 14 days",
    "expired": "Expired, not accepted",
    "never": "No expiry",
}
# Values of the parameter `created`, as the search box spells them too.
CREATED_LABELS = {
    "today": "Today",
    "<7d": "Last 7 days",
    "<30d": "Last 30 days",
    "this-month": "This month",
    "last-month": "Last month",
}
# False and True of each flag, as the URL spells them.
FLAG_VALUES = {
    "attention": ("no", "yes"),
    "swapped": ("no", "yes"),
    "payment": ("no", "pending"),
    "delivery": ("no", "trouble"),
}

# The parameter of a list whose boxes are all checked, and its value. It is the last one of a URL.
CHECKED_PARAMETER = "checked"
PAGE = "page"

_DAY = timedelta(days=1)
# Parameters that do not narrow the list. `view` is the saved view that the list started from.
_DISPLAY_PARAMETERS = ("view", "columns", "sort", "per_page")

# From the kind of a label and Goody's id (a sender's address) to the id of its row, None if there
# is no such row. URLs hold Goody's ids because ids of rows change when the index is rebuilt.
type LabelLookup = Callable[[str, str], int | None]


class ActiveFilter(NamedTuple):
    """One value of a parameter that narrows the list, and the filters without it."""

    name: str
    value: Any
    without: Filters


class Filters(NamedTuple):
    """One field per parameter, in the order of the URL. Days are days of the viewer's zone.

    A page makes about twenty of them for its links, hence a tuple.
    """

    q: str = ""
    finding: UUID | None = None
    selection: UUID | None = None
    # Of the selection, as text of orders.bulk.selection_parts.
    part: str = ""
    status: tuple[str, ...] = ()
    created: str = ""
    created_after: date | None = None
    created_before: date | None = None
    expires: str = ""
    expires_after: date | None = None
    expires_before: date | None = None
    workspace: str = ""
    batch: str = ""
    sender: str = ""
    product: str = ""
    brand: str = ""
    swapped: bool | None = None
    payment: bool | None = None
    delivery: bool | None = None
    attention: bool | None = None
    view: int | None = None
    # As text of orders.list_columns; "" for those that the person chose.
    columns: str = ""
    sort: Sort | None = None
    per_page: int = DEFAULT_PAGE_SIZE

    def non_default_params(self) -> list[tuple[str, str]]:
        """Return the parameters that differ from their defaults."""
        params = []
        for name, value, default in zip(self._fields, self, _DEFAULTS, strict=True):
            if value != default:
                values = value if isinstance(value, tuple) else (value,)
                params += [(name, _serialize(name, one)) for one in values]
        return params

    @property
    def query_string(self) -> str:
        return urlencode(self.non_default_params())

    def url(self, *, position: str = "", name: str = "order_list") -> str:
        """Return the URL of the list, or of the URL pattern `name`.

        Without `position` it is the first page.
        """
        params = self.non_default_params()
        if position:
            params.append(("position", position))
        path = _path(name, get_script_prefix())
        return f"{path}?{urlencode(params)}" if params else path

    def replace(self, **changes: Any) -> Self:
        return self._replace(**changes)

    def active_filters(self) -> Iterator[ActiveFilter]:
        """Yield the values that narrow the list, apart from the search box."""
        for name, value, default in zip(self._fields, self, _DEFAULTS, strict=True):
            if name == "q" or name in _DISPLAY_PARAMETERS or value == default:
                continue
            if isinstance(value, tuple):
                for one in value:
                    rest = tuple(other for other in value if other != one)
                    yield ActiveFilter(name, one, self.replace(**{name: rest}))
            else:
                yield ActiveFilter(name, value, self.replace(**{name: default}))

    @property
    def is_unfiltered(self) -> bool:
        return not self.q and next(self.active_filters(), None) is None

    @property
    def is_answerable_live(self) -> bool:
        """Whether Goody's own list, which filters only by creation date, can answer the request."""
        return self == Filters(
            created_after=self.created_after,
            created_before=self.created_before,
            view=self.view,
            columns=self.columns,
            per_page=self.per_page,
        )

    def created_bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """Return the bounds of creation for Goody's list (aware UTC, both inclusive).

        Goody may keep fractions of a second, which cannot be sent. An end within the last second
        of the day would miss some orders, so the end is midnight, which includes one second of the
        next day.
        """
        after, before = self.created_after, self.created_before
        start = start_of_day(after, zone) if after else None
        end = start_of_day(before + _DAY, zone) if before else None
        return start, end

    def without_conditions(self) -> Self:
        """Return the list of all orders with the same columns, sort and page size."""
        return type(self)(columns=self.columns, sort=self.sort, per_page=self.per_page)

    @property
    def conditions_only(self) -> Self:
        """The filters without sort, columns, page size and view, which select no orders."""
        shown = {name: self._field_defaults[name] for name in _DISPLAY_PARAMETERS}
        return self.replace(**shown)

    def query(self, clock: RequestClock, label_id: LabelLookup) -> Query:
        """Return the merged query of all parameters except `q`."""
        queries = (
            parameter_query(one.name, one.value, clock, label_id) for one in self.active_filters()
        )
        return replace(reduce(Query.merged_with, queries, Query()), sort=self.sort)


_DEFAULTS = tuple(Filters._field_defaults.values())


def saved_query_string(filters: Filters) -> str:
    """Return the query string that a saved view stores: equal for equal lists, "" for all orders.

    It contains neither position and page size, nor a finding or a selection, which expire within
    days.
    """
    return filters.replace(
        view=None, finding=None, selection=None, part="", per_page=DEFAULT_PAGE_SIZE
    ).query_string


def saved_view_url(
    query: str, *, view_id: int | None = None, per_page: int = DEFAULT_PAGE_SIZE
) -> str:
    """Return the URL of the list that a saved view stores."""
    params: dict[str, int] = {}
    if view_id is not None:
        params["view"] = view_id
    if per_page != DEFAULT_PAGE_SIZE:
        params["per_page"] = per_page
    path, query_string = reverse("order_list"), "&".join(filter(None, (query, urlencode(params))))
    return f"{path}?{query_string}" if query_string else path


@lru_cache(maxsize=64)
def _path(name: str, prefix: str) -> str:  # noqa: ARG001 - `reverse` reads the prefix itself
    return reverse(name)


def _serialize(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return FLAG_VALUES[name][value]
    return value.isoformat() if isinstance(value, date) else str(value)


def parameter_query(name: str, value: Any, clock: RequestClock, label_id: LabelLookup) -> Query:
    """Return the query of one parameter."""
    if name in _LABEL_FIELDS:
        return _label_query(name, value, label_id)
    return _QUERIES[name](value, clock)


# Parameters that name a label, and their field of Query.
_LABEL_FIELDS = {
    "workspace": "workspaces",
    "sender": "senders",
    "product": "products",
    "brand": "brands",
}


def _label_query(kind: str, text: str, label_id: LabelLookup) -> Query:
    """Return a query for the label with that id, or else for labels whose name has the text."""
    known = label_id(kind, text)
    choice = FilterChoice(text=text) if known is None else FilterChoice(id=known)
    fields: dict[str, Any] = {_LABEL_FIELDS[kind]: (choice,)}
    return Query(**fields)


def _created_query(value: str, clock: RequestClock) -> Query:
    """Return the query of a window of creation that is relative to now."""
    window = parse_time_window(value, relative=PastWindows, clock=clock) or TimeWindow()
    return Query(created_from=window.start, created_until=window.end)


_QUERIES: dict[str, Callable[[Any, RequestClock], Query]] = {
    "finding": lambda value, _: Query(finding=value),
    "selection": lambda value, _: Query(selection=value),
    "part": lambda *_: Query(),
    "status": lambda value, _: Query(statuses=(value,)),
    "created": _created_query,
    "created_after": lambda day, clock: Query(created_from=start_of_day(day, clock.zone)),
    "created_before": lambda day, clock: Query(created_until=start_of_day(day + _DAY, clock.zone)),
    "expires": lambda preset, clock: Query(**expiry_preset_fields(preset, now=clock.now)),
    "expires_after": lambda day, clock: Query(expires_from=start_of_day(day, clock.zone)),
    "expires_before": lambda day, clock: Query(expires_until=start_of_day(day + _DAY, clock.zone)),
    "batch": lambda text, _: Query(batches=(FilterChoice(text=text),)),
    "swapped": lambda value, _: Query(is_swapped=value),
    "payment": lambda value, _: Query(is_payment_pending=value),
    "delivery": lambda value, _: Query(has_delivery_trouble=value),
    "attention": lambda value, _: Query(needs_attention=value),
}


# --- position ---------------------------------------------------------------------------------

_CLOCK_SKEW = timedelta(seconds=30)
# Goody prints whole seconds and may store fractions: bounds are rounded up.
_FRACTION = timedelta(seconds=1)
_signer = signing.Signer(salt="orders.list.position")


class InvalidPosition(Exception):
    """The position is not one that this module serialized."""


@dataclass(frozen=True, slots=True)
class LivePosition:
    """A page of Goody's list as of the request for its first page.

    `created_before` (aware UTC) excludes newer orders, which would shift the pages. It is None on
    the first page, which shows the newest orders.
    """

    page: int = 1
    created_before: datetime | None = None

    def serialize(self) -> str:
        before = self.created_before
        return _signer.sign_object((self.page, int(before.timestamp()) if before else 0))

    def with_time_bound(self, now: datetime, newest: datetime | None = None) -> LivePosition:
        """Return the position from which the other pages are counted.

        `newest` is the latest creation time on the first page, None if one of them is unknown. No
        order of that page may be after the bound: the others would move up, and some would fall
        between two pages. Our clock may be behind Goody's, so without `newest` the bound is in the
        future. Orders created before that bound may then appear twice, and a larger skew may hide
        one.
        """
        if self.created_before is not None:
            return self
        latest = now + _CLOCK_SKEW if newest is None else max(now, newest)
        return replace(self, created_before=latest.replace(microsecond=0) + _FRACTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPosition:
    """A page of a list from the index: the rows after a key, or (`is_backwards`) before it.

    `key` is None for an end of the list. `sort` is the sort that the key belongs to. `ordinal` is
    the number of the page's first row, counted from 1; 0 if it is unknown.
    """

    key: PageKey | None = None
    sort: Sort | None = None
    ordinal: int = 1
    is_backwards: bool = False

    def serialize(self) -> str:
        key = list(self.key) if self.key is not None else None
        sort = self.sort.value if self.sort else ""
        return _signer.sign_object(["index", key, sort, self.ordinal, self.is_backwards])


def parse_position(text: str) -> LivePosition | IndexPosition | None:
    """Return the position in a URL; None for "", the first page. Raises InvalidPosition."""
    if not text:
        return None
    try:
        values = _signer.unsign_object(text)
        if values[0] == "index":
            return _index_position(*values)
        return _live_position(*values)
    except (signing.BadSignature, ValueError, TypeError, KeyError, IndexError) as error:
        raise InvalidPosition from error


def _live_position(page: int, before: int) -> LivePosition:
    return LivePosition(page, datetime.fromtimestamp(before, UTC) if before else None)


def _index_position(
    _: str, key: list[Any] | None, sort: str, ordinal: int, is_backwards: bool
) -> IndexPosition:
    return IndexPosition(
        key=PageKey(*key) if key is not None else None,
        sort=Sort(sort) if sort else None,
        ordinal=ordinal,
        is_backwards=is_backwards,
    )
