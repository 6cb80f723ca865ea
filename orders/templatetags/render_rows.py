"""A template tag that renders many rows with one partial, at the cost of a few renderings.

A partial may only depend on which cells of a row are empty. It is rendered once for each such
pattern, with a marker in place of each cell; the escaped cells of every row with that pattern then
replace the markers.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from functools import lru_cache
from html import escape
from operator import itemgetter
from typing import Any

from django import template
from django.template.base import PartialTemplate
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString

register = template.Library()

# Texts of Goody contain no NUL.
_NUL = "\x00"
_MARKER = re.compile(f"{_NUL}(\\d+){_NUL}")


@register.simple_tag
def render_rows(partial: str, rows: Sequence[tuple[str, ...]], **shared: Hashable) -> SafeString:
    """Render each row with a partial ("orders/list.html#row"), as a variable with its name.

    A row is a NamedTuple of texts. The partial may output cells and test whether they are empty,
    but not filter or compare them, because it is rendered with markers in place of the values.
    `shared` are further variables, which are equal for all rows.
    """
    # The stubs know no `template` on the backend's template.
    known: PartialTemplate = vars(get_template(partial))["template"]
    variables = tuple(shared.items())
    return SafeString("".join([_render(known, row, variables) for row in rows]))


type _Variables = tuple[tuple[str, Hashable], ...]


def _render(partial: PartialTemplate, row: tuple[str, ...], shared: _Variables) -> str:
    text, cells = _pattern(partial, type(row), tuple(map(bool, row)), shared)
    markup: str = text % cells(_escaped(row))
    return markup


def _escaped(row: tuple[str, ...]) -> Sequence[str]:
    """Return the escaped cells. Escaping them one by one takes five times as long."""
    cells = escape(_NUL.join(row)).split(_NUL)
    return cells if len(cells) == len(row) else [escape(cell) for cell in row]


@lru_cache(maxsize=1024)
def _pattern(
    partial: PartialTemplate, kind: Any, filled: tuple[bool, ...], shared: _Variables
) -> tuple[str, itemgetter[Any]]:
    """Return the markup of a pattern with %s for each cell, and the getter of those cells."""
    markers = [f"{_NUL}{n}{_NUL}" if is_filled else "" for n, is_filled in enumerate(filled)]
    markup: str = partial.render(Context({**dict(shared), partial.name: kind(*markers)}))
    # The first cell once more with no output: itemgetter needs an index, and returns a tuple only
    # for two.
    order = [0, *(int(number) for number in _MARKER.findall(markup))]
    return "%.0s" + _MARKER.sub("%s", markup.replace("%", "%%")), itemgetter(*order)
