"""The unreadable values of an order, exactly as Goody sent them.

They are shown raw and marked, so that an unreadable value is not mistaken for an absent one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import count
from typing import Any

from goody.types import Order
from orders import formats

_MAX_LENGTH = 80
# Never shown here: gift and payment links are copied, not displayed.
_LINKS = ("individual_gift_link", "payment_link")
_MESSAGES = ("message", "thank_you_note")


class RawValues:
    """The raw values of one order.

    `may_read_messages`: whether the viewer may see the text of messages.
    """

    def __init__(self, order: Order, *, may_read_messages: bool) -> None:
        self._order = order
        self._hidden = _LINKS if may_read_messages else (*_LINKS, *_MESSAGES)

    @cached_property
    def _json(self) -> Any:
        try:
            return json.loads(self._order.raw)
        except (ValueError, RecursionError):
            return None

    def unreadable(self, path: str) -> str:
        """Return 'unreadable: “45.5”' for the dotted path of a field without a value.

        Return "" if Goody sent no value. A field within an unreadable object is only "unreadable".
        """
        if path in self._order.problems:
            raw = self._raw(path)
            return f"unreadable: {raw}" if raw else ""
        return "unreadable" if self._has_unreadable_parent(path) else ""

    def _has_unreadable_parent(self, path: str) -> bool:
        parents = (path[:at] for at, character in enumerate(path) if character == ".")
        return any(parent in self._order.problems for parent in parents)

    def lines(self) -> list[str]:
        """Return a line for each unreadable field: `expires_at: “2026-01-01T00:00:60Z”`."""
        paths = self._order.problems
        return [f"{path}: {raw}" if (raw := self._raw(path)) else path for path in paths]

    def member_paths(self, path: str) -> Iterator[str]:
        """Yield the paths of the readable members of a list, in order."""
        paths = (f"{path}.{number}" for number in count())
        return (one for one in paths if one not in self._order.problems)

    def unreadable_members(self, path: str) -> list[str]:
        """Return the unreadable members of a list, or the list itself if unreadable, as text."""
        if whole := self.unreadable(path):
            return [whole]
        names = (one.rpartition(".") for one in self._order.problems)
        return [
            self.unreadable(f"{parent}.{name}")
            for parent, _, name in names
            if parent == path and name.isdigit()
        ]

    def _raw(self, path: str) -> str:
        """Return the shortened JSON at the path; "" for null and if the viewer may not see it."""
        root, *_ = names = path.split(".")
        if root in self._hidden:
            return ""
        value = self._json
        for name in names:
            value = _child(value, name)
        if value is None:
            return ""
        # Control characters stay escaped, as JSON requires.
        text = json.dumps(value, ensure_ascii=False)
        text = formats.printable(text[1:-1] if isinstance(value, str) else text)
        return f"“{text[:_MAX_LENGTH]}{'…' if len(text) > _MAX_LENGTH else ''}”"


def _child(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    is_index = isinstance(value, list) and name.isdigit() and int(name) < len(value)
    return value[int(name)] if is_index else None
