"""The saved views above a list: which there are, which one this is, and whether it was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.http import QueryDict
from django.urls import reverse

from orders.audit import Actor, Right
from orders.forms.saved_views import canonical, view_url
from orders.models import SavedView
from orders.services import may_change_view


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


def make_view_bar(views: Iterable[SavedView], parameters: QueryDict, *, actor: Actor) -> ViewBar:
    """`parameters` are those of the list that is shown."""
    query, per_page = canonical(parameters), parameters.get("per_page", "")
    wanted = parameters.get("view", "")
    current = next((one for one in views if str(one.pk) == wanted), None)
    is_changed = current is not None and current.query != query
    all_orders = Tab("All orders", view_url("", per_page=per_page), not (query or current), False)
    is_finding = "finding" in parameters
    may_change = is_changed and not is_finding and may_change_view(current, actor)
    return ViewBar(
        tabs=[all_orders, *(_tab(one, current, per_page) for one in views)],
        current=current.name if current else "",
        query=query,
        change_url=reverse("order_view", args=[current.pk]) if current and may_change else "",
        reset_url=view_url(current.query, view_id=current.pk, per_page=per_page)
        if current and is_changed
        else "",
        may_save=bool(query) and not is_finding and actor.may(Right.SAVE_VIEW),
        may_share=actor.may(Right.SHARE_VIEW),
        manage_url=reverse("order_views") if actor.may(Right.SAVE_VIEW) else "",
    )


def _tab(view: SavedView, current: SavedView | None, per_page: str) -> Tab:
    url = view_url(view.query, view_id=view.pk, per_page=per_page)
    return Tab(view.name, url, view is current, view.is_shared)


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


def manage(views: Iterable[SavedView], *, actor: Actor) -> list[ManagedView]:
    return [
        ManagedView(
            id=one.pk,
            name=one.name,
            url=view_url(one.query, view_id=one.pk),
            filters=", ".join(f"{name}: {value}" for name, value in parse_qsl(one.query)),
            owner=one.owner.get_full_name() or one.owner.get_username(),
            is_shared=one.is_shared,
            is_own=one.owner_id == actor.user_id,
            address=reverse("order_view", args=[one.pk]) if may_change_view(one, actor) else "",
        )
        for one in views
    ]
