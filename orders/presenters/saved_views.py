"""The saved views above a list: which there are, which one this is, and whether it was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from orders.audit import Actor, Right
from orders.forms.filters import DEFAULT_SIZE, Filters, Reading
from orders.forms.saved_views import filters_of, kept_of, view_url
from orders.models import SavedView
from orders.search import choices
from orders.search.parse import parse_query
from orders.services import may_change_view

from .filters import SORTED, filters_in_words


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    url: str
    is_current: bool
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewBar:
    """`query` is what would be saved. `change_url` is "" where the current view may not be
    changed, `reset_url` where nothing is changed.
    """

    tabs: list[Tab]
    current: str
    query: str
    change_url: str
    reset_url: str
    may_save: bool
    may_share: bool
    manage_url: str


def make_view_bar(views: Iterable[SavedView], filters: Filters, *, actor: Actor) -> ViewBar:
    """`filters` are those of the list that is shown."""
    query, per_page = kept_of(filters), filters.per_page
    current = next((one for one in views if one.pk == filters.view), None)
    is_changed = current is not None and current.query != query
    may_keep = filters.finding is None and actor.may(Right.SAVE_VIEW)
    is_plain = not (query or current or filters.finding)
    all_orders = Tab("All orders", view_url("", per_page=per_page), is_plain, is_shared=False)
    return ViewBar(
        tabs=[all_orders, *(_tab(one, current, per_page) for one in views)],
        current=current.name if current else "",
        query=query,
        change_url=_address(current) if may_keep and is_changed and _may(current, actor) else "",
        reset_url=_url(current, per_page) if current and is_changed else "",
        may_save=may_keep and bool(query) and (current is None or is_changed),
        may_share=actor.may(Right.SHARE_VIEW),
        manage_url=reverse("order_views") if actor.may(Right.SAVE_VIEW) else "",
    )


def _tab(view: SavedView, current: SavedView | None, per_page: int) -> Tab:
    return Tab(view.name, _url(view, per_page), view is current, view.is_shared)


def _url(view: SavedView, per_page: int = DEFAULT_SIZE) -> str:
    return view_url(view.query, view_id=view.pk, per_page=per_page)


def _address(view: SavedView | None) -> str:
    return reverse("order_view", args=[view.pk]) if view else ""


def _may(view: SavedView | None, actor: Actor) -> bool:
    return view is not None and may_change_view(view, actor)


@dataclass(frozen=True, slots=True)
class ManagedView:
    """A view where it is renamed, shared or deleted. `address` is "" where none of it may be."""

    id: int
    name: str
    url: str
    filters: str
    owner: str
    is_shared: bool
    is_own: bool
    address: str


def manage(views: Iterable[SavedView], *, actor: Actor, reading: Reading) -> list[ManagedView]:
    """`reading` is whose days and which moment the filters are told by."""
    return [
        ManagedView(
            id=one.pk,
            name=one.name,
            url=_url(one),
            filters=_in_words(one, reading),
            owner=one.owner.get_full_name() or one.owner.get_username(),
            is_shared=one.is_shared,
            is_own=one.owner_id == actor.user_id,
            address=_address(one) if may_change_view(one, actor) else "",
        )
        for one in views
    ]


def _in_words(view: SavedView, reading: Reading) -> str:
    """As the list tells them, and how it is sorted where that was chosen."""
    filters = filters_of(view.query)
    box = parse_query(filters.q, now=reading.now, zone=reading.zone)
    active = filters_in_words(filters, box=box, reading=reading, names=choices.name_of)
    words = [one.text for one in active] or ["All orders"]
    return "; ".join([*words, SORTED[filters.sort]] if filters.sort else words)
