"""The command palette, which is the same on every page: pages, views of the list, help."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.urls import reverse

from orders.list_url import Filters
from orders.models import SavedView
from orders.rights import Actor, Right

from .list_views import view_tabs


class Command(NamedTuple):
    """A command of the palette.

    It opens the page `url`, shows the dialog with the id `shows`, or presses the button with the id
    `presses`; the others are "". `keys` is its keyboard shortcut, "" if it has none.
    """

    label: str
    url: str = ""
    shows: str = ""
    presses: str = ""
    keys: str = ""


class CommandGroup(NamedTuple):
    label: str
    commands: list[Command]


def command_groups(
    pages: Iterable[Command], views: Iterable[SavedView], *, actor: Actor
) -> list[CommandGroup]:
    """Return the commands of a person. `pages` are those of the main navigation."""
    tabs = view_tabs(views, Filters())
    others = [Command("Find orders in a text", reverse("order_find"))]
    if actor.may(Right.SAVE_VIEW):
        others.append(Command("Manage saved views", reverse("order_views")))
    others += [
        Command("Settings", reverse("settings")),
        Command("Change password", reverse("password_change")),
        Command("Log out", presses="logout"),
    ]
    return [
        CommandGroup("Go to", [*pages, *others]),
        CommandGroup("Lists", [Command(tab.name, tab.url) for tab in tabs]),
        CommandGroup("Help", [Command("Keyboard shortcuts", shows="shortcuts", keys="?")]),
    ]
