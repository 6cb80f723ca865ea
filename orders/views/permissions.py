"""The right that a view needs, named on the view. The table of rights stands in orders.audit."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from orders.audit import NotAllowed, Right

type View = Callable[..., HttpResponseBase]


def requires(right: Right) -> Callable[[View], View]:
    """Let a view run only for people with the right; raise NotAllowed (a 403 page) for others.

    The right is kept as `required_right` on the view, where a test reads it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.viewer.actor.may(right):
                raise NotAllowed(right)
            return view(request, *args, **kwargs)

        guarded.required_right = right
        return guarded

    return decorate
