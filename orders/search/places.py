"""The place of an order in the order of creation, as one number: its key in the index.

The second it was created in, and a running number within that second. So newest first is the
primary key backwards, and an order that turns up late, or whose creation time becomes known better,
has its place between the others without any of them moving.
"""

from __future__ import annotations

from datetime import UTC, datetime

_EPOCH = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp())
_BITS = 12
_LAST_SECOND = (1 << 32) - 1

PLACES_A_SECOND = 1 << _BITS


def instant_of(place: int) -> datetime:
    """The second that a key stands for."""
    return datetime.fromtimestamp((place >> _BITS) + _EPOCH, UTC)


def first_place(at: datetime) -> int:
    """The lowest key of the second that holds `at` (aware): a bound for creation windows."""
    second = int(at.timestamp()) - _EPOCH
    return min(max(second, 0), _LAST_SECOND) << _BITS
