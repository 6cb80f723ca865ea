"""Helpers for all views: rights, the partial that htmx requested, redirects.

The partial is chosen on the server, from the id of the target element and a fixed map per view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, Protocol
from urllib.parse import unquote

from django import shortcuts
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from orders.rights import Right
from orders.viewer import Request


class RestrictedView[**P](Protocol):
    """A view with the right that it requires. A test checks that every URL has one."""

    required_right: Right

    def __call__(self, request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase: ...


def requires_right[**P](
    right: Right,
) -> Callable[[Callable[Concatenate[Request, P], HttpResponseBase]], RestrictedView[P]]:
    """Run the view only for people with the right; raise NotAllowed (a 403 page) for others."""

    def decorate(view: Callable[Concatenate[Request, P], HttpResponseBase]) -> RestrictedView[P]:
        @wraps(view)
        def guarded(request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            request.viewer.actor.require(right)
            return view(request, *args, **kwargs)

        guarded.required_right = right  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def works_without_database[V: Callable[..., HttpResponseBase]](view: V) -> V:
    """Mark a view that our middleware must not read the database for.

    The page frame then shows no person.
    """
    vars(view)["works_without_database"] = True
    return view


class HttpResponseSeeOther(HttpResponse):
    """A redirect with status 303: the browser continues with a GET."""

    status_code = 303

    def __init__(self, url: str) -> None:
        super().__init__(headers={"Location": url})


def browser_runs_script(request: HttpRequest) -> bool:
    """Whether the browser runs our script, according to a cookie that the script sets.

    The script loads Goody's answer later, so the page can show our copy at once.
    """
    return request.COOKIES.get("script") == "on"


def htmx_source_id(request: HttpRequest) -> str:
    """Return the id of the element that triggered the htmx request; "" if there is none."""
    return _element_id(request, "HX-Source")


def htmx_target_id(request: HttpRequest) -> str:
    """Return the id of the target element of the htmx request; "" if there is none.

    htmx 4 sends `HX-Target: tag#id` with the id percent-encoded. A history restore requires the
    whole page, whatever the target.
    """
    return _element_id(request, "HX-Target")


def _element_id(request: HttpRequest, header: str) -> str:
    headers = request.headers
    if headers.get("HX-Request") != "true" or "HX-History-Restore-Request" in headers:
        return ""
    return unquote(headers.get(header, "").partition("#")[2])


def choose_partial(target: str, fragments: Mapping[str, str]) -> str:
    """Return the partial for a target id, "" if there is none.

    The keys of `fragments` are ids, or prefixes of ids if they end in "-".
    """
    if not target:
        return ""
    if target in fragments:
        return fragments[target]
    for key, partial in fragments.items():
        if key.endswith("-") and target.startswith(key):
            return partial
    return ""


def render_page_or_partial(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    fragments: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    """Return the partial that htmx requested, or the whole page.

    The template variable `is_part` distinguishes the two.
    """
    partial = choose_partial(htmx_target_id(request), fragments)
    name = f"{template}#{partial}" if partial else template
    context = {**context, "is_part": bool(partial)}
    return suppress_response_log(shortcuts.render(request, name, context, status=status))


def suppress_response_log(response: HttpResponse) -> HttpResponse:
    """Prevent Django from logging this expected 4xx or 5xx response as an error."""
    vars(response)["_has_been_logged"] = True
    return response
