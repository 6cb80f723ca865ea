"""The activity feed: counting and paging of status changes.

Each status has a sorted array of packed events, so that windows and pages are found by bisection.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass

from emulator.order_columns import CANCELED, FAILED, FEED_CODES, STATUSES, pack_event, unpack_event

# The order_status of each code; Goody's feed has no `canceled`, a cancel is `failed`.
FEED_STATUSES = {code: STATUSES[FAILED if code == CANCELED else code] for code in FEED_CODES}
_AFTER_ALL = 1 << 65

EventSlice = tuple["array[int]", int, int]


class ActivityFeed:
    """The events of the activity feed.

    `events` are the sorted arrays of packed events by status code, shared with OrderColumns.
    """

    def __init__(self, events: dict[int, "array[int]"]) -> None:
        self._events = events

    def add(self, event: int) -> bool:
        """Insert an event. Return False if it is in the feed already or its status has no feed."""
        events = self._events.get(unpack_event(event)[2])
        if events is None:
            return False
        position = bisect_left(events, event)
        if position < len(events) and events[position] == event:
            return False
        events.insert(position, event)
        return True

    def remove(self, event: int) -> None:
        """Delete an event that the feed has."""
        events = self._events[unpack_event(event)[2]]
        del events[bisect_left(events, event)]

    def window(
        self,
        *,
        after: float | None,
        before: float | None,
        statuses: Collection[str] | None,
        hidden: Collection[int],
    ) -> "FeedWindow":
        """Return the events between two times, inclusive, without those of hidden orders."""
        low = 0 if after is None else pack_event(at=math.ceil(after), index=0, code=0)
        high = _AFTER_ALL
        if before is not None:
            high = pack_event(at=math.floor(before) + 1, index=0, code=0)
        slices = [
            (events, bisect_left(events, low), bisect_left(events, high))
            for code, events in self._events.items()
            if statuses is None or FEED_STATUSES[code] in statuses
        ]
        return FeedWindow([_without(hidden, part) for part in slices] if hidden else slices)


@dataclass(frozen=True)
class FeedWindow:
    """The events of a window, as slices (array, start, end) of sorted arrays."""

    slices: list[EventSlice]

    def __len__(self) -> int:
        return sum(max(0, high - low) for _, low, high in self.slices)

    def newest_events(self, *, skip: int, count: int) -> list[int]:
        """Return up to `count` events, newest first, after the `skip` newest."""
        top = self._upper_bound(skip)
        found: list[int] = []
        for events, low, high in self.slices:
            end = bisect_left(events, top, low, max(low, high))
            found.extend(events[max(low, end - count) : end])
        return sorted(found, reverse=True)[:count]

    def _upper_bound(self, skip: int) -> int:
        """Return an exclusive upper bound of the events without the `skip` newest, by bisection."""
        low, high = 0, _AFTER_ALL
        while skip and low < high:
            middle = (low + high + 1) // 2
            if self._count_from(middle) >= skip:
                low = middle
            else:
                high = middle - 1
        return low if skip else high

    def _count_from(self, bound: int) -> int:
        return sum(
            high - bisect_left(events, bound, low, high)
            for events, low, high in self.slices
            if low < high
        )


def _without(hidden: Collection[int], part: EventSlice) -> EventSlice:
    """Return the slice without the events of hidden orders.

    Copying is slow, but only tests hide orders.
    """
    events, low, high = part
    kept = array("Q", (event for event in events[low:high] if unpack_event(event)[1] not in hidden))
    return kept, 0, len(kept)
