"""Which part of a page an htmx request gets. The server decides, by the element it asks for.

What the parts hold is decided by each page's template (`{% partialdef %}`) and view.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from django import shortcuts
from django.http import HttpRequest, HttpResponse


def source_of(request: HttpRequest) -> str:
    """The id of the element that made htmx ask, "" when there is none. Sent as the target is."""
    return _id_in(request, "HX-Source")


def target_of(request: HttpRequest) -> str:
    """The id of the element that htmx wants to fill, "" when there is none.

    htmx 4 sends `HX-Target: tag#id`, the id percent-encoded. A Back that htmx answers from the
    server wants the whole page, whatever the target.
    """
    return _id_in(request, "HX-Target")


def _id_in(request: HttpRequest, header: str) -> str:
    headers = request.headers
    if headers.get("HX-Request") != "true" or "HX-History-Restore-Request" in headers:
        return ""
    return unquote(headers.get(header, "").partition("#")[2])


def chosen_partial(target: str, fragments: Mapping[str, str]) -> str:
    """The partial for an id: keys are ids, or prefixes when they end in "-"; "" for the page."""
    if not target:
        return ""
    if target in fragments:
        return fragments[target]
    for key, partial in fragments.items():
        if key.endswith("-") and target.startswith(key):
            return partial
    return ""


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    fragments: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    """Render the partial that htmx asked for, or the whole page for everybody else. The template
    knows by `is_part`, and may bring along what stands elsewhere.
    """
    partial = chosen_partial(target_of(request), fragments)
    name = f"{template}#{partial}" if partial else template
    context = {**context, "is_part": bool(partial)}
    response = shortcuts.render(request, name, context, status=status)
    # A failure that a view has words for is no bug; otherwise Django logs every 503 as one.
    response._has_been_logged = True  # noqa: SLF001
    return response
