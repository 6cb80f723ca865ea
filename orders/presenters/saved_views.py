"""Saved views as tabs above the list, and the page that manages them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from orders.audit import Actor, Right
from orders.days import RequestClock
from orders.forms.listing import parse_filters
from orders.list_url import DEFAULT_PAGE_SIZE, Filters, saved_query, view_url
from orders.models import SavedView
from orders.search import labels
from orders.search.parse import parse_query
from orders.services import may_change_view

from .filters import SORT_NAMES, filter_chips


@dataclass(frozen=True, slots=True)
class ViewTab:
    name: str
    url: str
    is_current: bool
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedViewBar:
    """The tabs of the saved views, and the forms to save and change a view.

    `query` is the query string to save. `change_url` is "" if the current view may not be changed,
    `reset_url` is "" if the list is equal to the view.
    """

    tabs: list[ViewTab]
    current: str
    query: str
    change_url: str
    reset_url: str
    may_save: bool
    may_share: bool
    manage_url: str


def make_saved_view_bar(
    views: Iterable[SavedView], filters: Filters, *, actor: Actor
) -> SavedViewBar:
    """Return the tabs above a list. `filters` are those of the current list."""
    query, per_page = saved_query(filters), filters.per_page
    current = next((one for one in views if one.pk == filters.view), None)
    is_changed = current is not None and current.query != query
    may_save = filters.finding is None and actor.may(Right.SAVE_VIEW)
    is_plain = not (query or current or filters.finding)
    all_orders = ViewTab("All orders", view_url("", per_page=per_page), is_plain, is_shared=False)
    return SavedViewBar(
        tabs=[all_orders, *(_tab(one, current, per_page) for one in views)],
        current=current.name if current else "",
        query=query,
        change_url=_manage_url(current)
        if may_save and is_changed and _may_change(current, actor)
        else "",
        reset_url=_url(current, per_page) if current and is_changed else "",
        may_save=may_save and bool(query) and (current is None or is_changed),
        may_share=actor.may(Right.SHARE_VIEW),
        manage_url=reverse("order_views") if actor.may(Right.SAVE_VIEW) else "",
    )


def _tab(view: SavedView, current: SavedView | None, per_page: int) -> ViewTab:
    return ViewTab(view.name, _url(view, per_page), view is current, view.is_shared)


def _url(view: SavedView, per_page: int = DEFAULT_PAGE_SIZE) -> str:
    return view_url(view.query, view_id=view.pk, per_page=per_page)


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


def managed_views(
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
    chips = filter_chips(
        filters,
        box=parse_query(filters.q, now=clock.now, zone=clock.zone),
        clock=clock,
        label_id=labels.find_label_id,
        names=labels.find_label_name,
    )
    texts = [chip.text for chip in chips] or ["All orders"]
    return "; ".join([*texts, SORT_NAMES[filters.sort]] if filters.sort else texts)
