"""The activity feed: which order reached which status and when, counted and paged by bisection.

One sorted array of packed events a status, so that neither a window nor a choice of statuses
walks through millions. What an entry looks like stands in render.py.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass

from emulator.seed import CANCELED, FAILED, REPORTED, STATUSES, pack_event, unpack_event

# Goody's feed knows no `canceled`: a cancel shows as `failed`.
SHOWN_AS = {code: STATUSES[FAILED if code == CANCELED else code] for code in REPORTED}
_BEYOND_ALL = 1 << 65

Part = tuple["array[int]", int, int]


class Feed:
    """All events, from the arrays of seed.Columns; those of hidden orders are left out."""

    def __init__(self, events: dict[int, "array[int]"]) -> None:
        self._events = events

    def add(self, packed: int) -> bool:
        """Note an event; False if the feed does not report its status or has it already."""
        events = self._events.get(unpack_event(packed)[2])
        if events is None:
            return False
        place = bisect_left(events, packed)
        if place < len(events) and events[place] == packed:
            return False
        events.insert(place, packed)
        return True

    def remove(self, packed: int) -> None:
        """Forget an event that is there."""
        events = self._events[unpack_event(packed)[2]]
        del events[bisect_left(events, packed)]

    def window(
        self,
        *,
        after: float | None,
        before: float | None,
        statuses: Collection[str] | None,
        hidden: Collection[int],
    ) -> "Window":
        """The events within these Unix seconds, both inclusive; `statuses` None: all."""
        low = 0 if after is None else pack_event(at=math.ceil(after), index=0, code=0)
        high = _BEYOND_ALL
        if before is not None:
            high = pack_event(at=math.floor(before) + 1, index=0, code=0)
        parts = [
            (events, bisect_left(events, low), bisect_left(events, high))
            for code, events in self._events.items()
            if statuses is None or SHOWN_AS[code] in statuses
        ]
        return Window([_without(hidden, part) for part in parts] if hidden else parts)


@dataclass(frozen=True)
class Window:
    """Parts of sorted arrays, (array, from, until), that hold the events of one question."""

    parts: list[Part]

    def __len__(self) -> int:
        return sum(max(0, high - low) for _, low, high in self.parts)

    def newest(self, *, skip: int, count: int) -> list[int]:
        """So many packed events, newest first, after the `skip` newest."""
        top = self._bound(skip)
        found: list[int] = []
        for events, low, high in self.parts:
            end = bisect_left(events, top, low, max(low, high))
            found.extend(events[max(low, end - count) : end])
        return sorted(found, reverse=True)[:count]

    def _bound(self, skip: int) -> int:
        """The number under which all events but the `skip` newest are, found by halving."""
        low, high = 0, _BEYOND_ALL
        while skip and low < high:
            middle = (low + high + 1) // 2
            if self._at_least(middle) >= skip:
                low = middle
            else:
                high = middle - 1
        return low if skip else high

    def _at_least(self, bound: int) -> int:
        return sum(
            high - bisect_left(events, bound, low, high)
            for events, low, high in self.parts
            if low < high
        )


def _without(hidden: Collection[int], part: Part) -> Part:
    """A copy: hiding orders is for tests, and may take its time."""
    events, low, high = part
    shown = array("Q", (one for one in events[low:high] if unpack_event(one)[1] not in hidden))
    return shown, 0, len(shown)
