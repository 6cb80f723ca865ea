"""Saved views. Own views require the right SAVE_VIEW, shared ones SHARE_VIEW.

Sharing a view, changing a shared view and withdrawing it are audited.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import FETCH_PEERS, Max, QuerySet

from orders.audit import Action, audited_action, record_action
from orders.models import SavedView
from orders.rights import Actor, NotAllowed, Right
from orders.text import fold_text

MOST_OWN = 50


class InvalidSavedView(Exception):
    """The view cannot be saved. The message is a sentence for the user."""


def visible_views(actor: Actor) -> list[SavedView]:
    """Return all views that the actor may see: own ones by position, then shared ones.

    Owners are fetched in one query on first access.
    """
    return list(SavedView.objects.visible_to(actor.user_id).fetch_mode(FETCH_PEERS))


def views_for_list_page(actor: Actor) -> list[SavedView]:
    """Return the same views as `visible_views` by one query, without their owners."""
    return SavedView.objects.fetch_for_list_page(actor.user_id)


def may_change_view(view: SavedView, actor: Actor) -> bool:
    if view.is_shared:
        return actor.may(Right.SHARE_VIEW)
    return view.owner_id == actor.user_id and actor.may(Right.SAVE_VIEW)


def save_view(*, actor: Actor, name: str, query: str, is_shared: bool, now: datetime) -> SavedView:
    """Save a list as a new view. Raises InvalidSavedView or NotAllowed; nothing is saved then."""
    actor.require(Right.SAVE_VIEW)
    assert actor.user_id is not None
    own = SavedView.objects.filter(owner_id=actor.user_id)
    if own.count() >= MOST_OWN:
        raise InvalidSavedView(f"You have {MOST_OWN} views already. Delete one first.")
    view = SavedView(
        owner_id=actor.user_id,
        name=name,
        name_key=fold_text(name),
        query=query,
        position=_next_position(own),
    )
    with transaction.atomic():
        _create(view)
        if is_shared:
            share_view(actor=actor, view=view, now=now)
    return view


def change_view(
    *,
    actor: Actor,
    view: SavedView,
    name: str | None = None,
    query: str | None = None,
    now: datetime,
) -> None:
    """Change the name or the list of a view. Raises InvalidSavedView or NotAllowed."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes |= {"name": name, "name_key": fold_text(name)}
    if query is not None:
        changes["query"] = query
    if view.is_shared:
        change_shared_view(actor=actor, view=view, changes=changes, now=now)
    else:
        _require_own(actor, view)
        _update(view, **changes)


@audited_action(Action.VIEW_CHANGE)
def change_shared_view(
    *, actor: Actor, view: SavedView, changes: dict[str, Any], now: datetime
) -> None:
    before = _snapshot(view)
    with transaction.atomic():
        _update(view, **changes)
        after = _snapshot(view)
        record_action(
            actor, Action.VIEW_CHANGE, detail=view.name, now=now, before=before, after=after
        )


@audited_action(Action.VIEW_SHARE)
def share_view(*, actor: Actor, view: SavedView, now: datetime) -> None:
    """Share an own view with everybody."""
    _require_own(actor, view)
    if view.is_shared:
        return
    with transaction.atomic():
        last = _next_position(SavedView.objects.filter(is_shared=True))
        _update(view, is_shared=True, position=last)
        record_action(actor, Action.VIEW_SHARE, detail=view.name, now=now, after=_snapshot(view))


@audited_action(Action.VIEW_WITHDRAW)
def withdraw_view(*, actor: Actor, view: SavedView, now: datetime) -> None:
    """Stop sharing a view; it stays with its owner."""
    if not view.is_shared:
        return
    with transaction.atomic():
        _update(view, is_shared=False)
        record_action(
            actor, Action.VIEW_WITHDRAW, detail=view.name, now=now, before=_snapshot(view)
        )


def delete_view(*, actor: Actor, view: SavedView) -> None:
    """Delete an own view. A shared view must be withdrawn first."""
    if view.is_shared:
        raise InvalidSavedView("A shared view is not deleted: stop sharing it first.")
    _require_own(actor, view)
    view.delete()


def move_view_up(*, actor: Actor, view: SavedView) -> None:
    """Swap the view with the preceding one of its group (own or shared views)."""
    if not may_change_view(view, actor):
        raise NotAllowed(Right.SHARE_VIEW if view.is_shared else Right.SAVE_VIEW)
    order = [one for one in visible_views(actor) if one.is_shared == view.is_shared]
    place = order.index(view)
    order[max(place - 1, 0) : place + 1] = reversed(order[max(place - 1, 0) : place + 1])
    with transaction.atomic():
        for position, one in enumerate(order):
            SavedView.objects.filter(pk=one.pk).update(position=position)


def _require_own(actor: Actor, view: SavedView) -> None:
    actor.require(Right.SAVE_VIEW)
    if view.owner_id != actor.user_id:
        raise InvalidSavedView("This view is somebody else's.")


def _next_position(views: QuerySet[SavedView]) -> int:
    last = views.aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def _create(view: SavedView) -> None:
    """Insert the view. Raises InvalidSavedView when another view has the name."""
    try:
        with transaction.atomic():
            view.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidSavedView(_name_conflict(view)) from error


def _update(view: SavedView, **changes: Any) -> None:
    """Update columns of the view in the database and on the object.

    Raises InvalidSavedView when another view has the name or this one was deleted.
    """
    for name, value in changes.items():
        setattr(view, name, value)
    try:
        with transaction.atomic():
            updated = SavedView.objects.filter(pk=view.pk).update(**changes)
    except IntegrityError as error:
        raise InvalidSavedView(_name_conflict(view)) from error
    if not updated:
        raise InvalidSavedView("This view has been deleted.")


def _name_conflict(view: SavedView) -> str:
    others = SavedView.objects.filter(name_key=view.name_key).exclude(pk=view.pk)
    if others.filter(owner_id=view.owner_id).exists():
        return f"There is a view called “{view.name}” already. Choose another name."
    return f"There is a shared view called “{view.name}” already. Choose another name."


def _snapshot(view: SavedView) -> dict[str, str]:
    return {"name": view.name, "query": view.query}
