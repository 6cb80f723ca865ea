"""The list of commands, loaded when somebody opens it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders import services
from orders.context_processors import navigation_items
from orders.presenters.command_palette import Command, command_groups
from orders.rights import Right
from orders.viewer import Request

from .http import requires_right


@require_safe
@requires_right(Right.READ)
def commands(request: Request) -> HttpResponse:
    actor = request.viewer.actor
    pages = [
        Command(one.label, one.url, keys=f"g {one.shortcut}" if one.shortcut else "")
        for one in navigation_items(request, actor)
    ]
    groups = command_groups(pages, services.views_for_list_page(actor), actor=actor)
    return render(request, "orders/commands.html", {"groups": groups})
