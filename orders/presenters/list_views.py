"""The views of the list: presets, which everybody has, and saved views.

They are tabs above the list. A page manages the saved ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from goody.types import CANCELABLE
from orders.days import RequestClock
from orders.forms.listing import parse_filters
from orders.list_columns import Columns
from orders.list_url import DEFAULT_PAGE_SIZE, Filters, saved_query_string, saved_view_url
from orders.models import SavedView
from orders.rights import Actor, Right
from orders.search import MatchCount, labels
from orders.search.parse import parse_query
from orders.services import may_change_view

from .condition_texts import SORT_NAMES, conditions_in_words

# A larger count is shown as "999+".
MAX_COUNT = 999


@dataclass(frozen=True, slots=True)
class Preset:
    """A named list that everybody has. Its dates are relative to now.

    `is_counted`: its orders are few, so that counting them is quick. `is_urgent`: a count other
    than 0 is something to do.
    """

    key: str
    name: str
    filters: Filters
    is_counted: bool = False
    is_urgent: bool = False

    @property
    def count_id(self) -> str:
        """The id of the element that shows the count; "" if it is not counted."""
        return f"count-{self.key}" if self.is_counted else ""


PRESETS = (
    Preset("attention", "Needs attention", Filters(attention=True), True, True),
    Preset("expiring", "Expiring in 7 days", Filters(expires="7d"), True),
    Preset("expired", "Expired, not accepted", Filters(expires="expired"), True),
    Preset("trouble", "Delivery trouble", Filters(delivery=True), True, True),
    Preset("payment", "Payment pending", Filters(payment=True), True, True),
    Preset("open", "Not accepted", Filters(status=tuple(CANCELABLE))),
    Preset("this-month", "This month", Filters(created="this-month")),
    Preset("last-month", "Last month", Filters(created="last-month")),
)


def current_preset(filters: Filters) -> Preset | None:
    """Return the preset with the same conditions as a list; sort and columns may differ."""
    if filters.view is not None:
        return None
    return next((one for one in PRESETS if one.filters == filters.conditions_only), None)


@dataclass(frozen=True, slots=True)
class TabCount:
    """The count of a preset's orders as text, and the id of the element that shows it."""

    id: str
    text: str


def tab_counts(counts: Mapping[str, MatchCount]) -> Sequence[TabCount]:
    """Return the counts by the keys of the presets; none is shown as "0"."""
    return [
        TabCount(one.count_id, tab_count_text(counts[one.key]))
        for one in PRESETS
        if one.key in counts
    ]


def tab_count_text(count: MatchCount | None) -> str:
    if count is None or not count.n:
        return ""
    return f"{count.n:,}{'+' if count.is_capped else ''}"


class ViewTab(NamedTuple):
    """A view above the list, as texts for the tag `render_rows`.

    `current` is the value of `aria-current`, `shared` is "" for an own view. `count_id` is the id
    of the element with the number of its orders, "" if it has none, `tone` its class.
    """

    name: str
    url: str
    current: str
    shared: str = ""
    count_id: str = ""
    number: str = ""
    tone: str = ""


_CURRENT = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedViewBar:
    """The tabs of the views, and the forms to save and change a view.

    `title` is the name of the current one, "" if the list is none of them. `query` is the query
    string to save in the current view, `new_query` that of a new one, which keeps the columns that
    the person sees. `change_url` is "" if the current view may not be changed, `reset_url` is "" if
    the list is equal to the view. `counts_url` returns the counts, "" if all are known.
    """

    tabs: list[ViewTab]
    title: str
    current: str
    query: str
    new_query: str
    change_url: str
    reset_url: str
    may_save: bool
    may_share: bool
    has_saved: bool
    manage_url: str
    counts_url: str


def make_saved_view_bar(
    views: Iterable[SavedView],
    filters: Filters,
    *,
    columns: Columns,
    actor: Actor,
    counts: Mapping[str, MatchCount],
    are_counts_known: bool,
) -> SavedViewBar:
    """Return the tabs above a list with these filters and columns.

    `counts` are those of the presets by key.
    """
    query, per_page = saved_query_string(filters), filters.per_page
    current = next((one for one in views if one.pk == filters.view), None)
    is_changed = current is not None and current.query != query
    is_lasting = filters.finding is None and filters.selection is None
    may_save = is_lasting and actor.may(Right.SAVE_VIEW)
    tabs = view_tabs(views, filters, counts=counts)
    if are_counts_known:
        # No number is awaited, so none needs its place.
        tabs = [one if one.number else one._replace(count_id="") for one in tabs]
    # A preset in its default sort need not be saved.
    is_new = bool(query) and query not in {one.filters.query_string for one in PRESETS}
    return SavedViewBar(
        tabs=tabs,
        title=next((one.name for one in tabs[1:] if one.current), ""),
        current=current.name if current else "",
        query=query,
        # Named even if they are the default ones, which another person may have replaced.
        new_query=saved_query_string(filters.replace(columns=",".join(columns))),
        change_url=_manage_url(current)
        if may_save and is_changed and _may_change(current, actor)
        else "",
        reset_url=_url(current, per_page) if current and is_changed else "",
        may_save=may_save and (is_changed if current else is_new),
        has_saved=len(tabs) > len(PRESETS) + 1,
        may_share=actor.may(Right.SHARE_VIEW),
        manage_url=reverse("order_views") if actor.may(Right.SAVE_VIEW) else "",
        counts_url="" if are_counts_known else reverse("order_counts"),
    )


def view_tabs(
    views: Iterable[SavedView],
    filters: Filters,
    *,
    counts: Mapping[str, MatchCount] | None = None,
) -> list[ViewTab]:
    """Return all orders, the presets and the saved views."""
    saved = [_tab(one, filters) for one in views]
    return [*_preset_tabs(filters, counts or {}), *saved]


def _preset_tabs(filters: Filters, counts: Mapping[str, MatchCount]) -> Iterator[ViewTab]:
    kept = Filters(per_page=filters.per_page)
    current = current_preset(filters)
    is_plain = filters.view is None and filters.conditions_only == Filters()
    yield ViewTab("All", kept.url(), _CURRENT if is_plain else "")
    for one in PRESETS:
        yield ViewTab(
            one.name,
            one.filters.replace(per_page=filters.per_page).url(),
            _CURRENT if one is current else "",
            count_id=one.count_id,
            number=tab_count_text(counts.get(one.key)) if one.is_counted else "",
            tone="count--warn" if one.is_urgent else "",
        )


def _tab(view: SavedView, filters: Filters) -> ViewTab:
    return ViewTab(
        view.name,
        _url(view, filters.per_page),
        _CURRENT if view.pk == filters.view else "",
        "Shared" if view.is_shared else "",
    )


def _url(view: SavedView, per_page: int = DEFAULT_PAGE_SIZE) -> str:
    return saved_view_url(view.query, view_id=view.pk, per_page=per_page)


def _manage_url(view: SavedView | None) -> str:
    return reverse("order_view", args=[view.pk]) if view else ""


def _may_change(view: SavedView | None, actor: Actor) -> bool:
    return view is not None and may_change_view(view, actor)


@dataclass(frozen=True, slots=True)
class ManagedView:
    """A view on the page that manages views.

    `address` is "" if the viewer may not change the view.
    """

    id: int
    name: str
    url: str
    filters: str
    owner: str
    is_shared: bool
    is_own: bool
    address: str


def saved_views_to_manage(
    views: Iterable[SavedView], *, actor: Actor, clock: RequestClock
) -> list[ManagedView]:
    return [
        ManagedView(
            id=one.pk,
            name=one.name,
            url=_url(one),
            filters=_filters_text(one, clock),
            owner=one.owner.get_full_name() or one.owner.get_username(),
            is_shared=one.is_shared,
            is_own=one.owner_id == actor.user_id,
            address=_manage_url(one) if may_change_view(one, actor) else "",
        )
        for one in views
    ]


def _filters_text(view: SavedView, clock: RequestClock) -> str:
    """Return the filters of the view in words, and its sort if it has one."""
    filters = parse_filters(view.query)
    conditions = conditions_in_words(
        filters,
        box=parse_query(filters.q, now=clock.now, zone=clock.zone),
        clock=clock,
        label_id=labels.find_label_id,
        names=labels.find_label_name,
    )
    texts = [one.text for one in conditions] or ["All orders"]
    return "; ".join([*texts, SORT_NAMES[filters.sort]] if filters.sort else texts)
