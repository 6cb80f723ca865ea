"""The icons of static/icons.svg."""

from __future__ import annotations

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return a decorative icon, which a process renders once: a page has a dozen of them.

    `name` is the id of a symbol in static/icons.svg.
    """
    return render_to_string("includes/icon.html", {"url": f"{static('icons.svg')}#{name}"})
