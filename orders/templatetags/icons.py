"""The icons of static/icons.svg."""

from __future__ import annotations

from django import template
from django.templatetags.static import static

register = template.Library()


@register.inclusion_tag("includes/icon.html")
def icon(name: str) -> dict[str, str]:
    """Return the context of a decorative icon. `name` is the id of a symbol in static/icons.svg."""
    return {"url": f"{static('icons.svg')}#{name}"}
