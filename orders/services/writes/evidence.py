"""Reads that one worker process has made of operations with an unknown outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

# Seconds by which the wall clock and the monotonic clock may drift apart between two looks.
_TOLERANCE = 2.0


@dataclass(slots=True)
class _Reads:
    """The reads of one operation in `state`. Times are monotonic seconds.

    `started` is the number of reads, `started_first` and `started_last` are their first and last
    start. `without_effect` is the number of reads that did not show the write, `first` and `last`
    are the first and the last start of these.
    """

    state: str = ""
    started: int = 0
    started_first: float = 0.0
    started_last: float = 0.0
    without_effect: int = 0
    first: float = 0.0
    last: float = 0.0


class ReadEvidence:
    """The number and the times of this process's reads, by its monotonic clock, in memory only.

    Neither a restart nor a change of the wall clock can make two reads look further apart than they
    were, because a new process has no evidence. `monotonic` and `wall` return seconds.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._reads: dict[UUID, _Reads] = {}
        # Operations whose POST may still take effect, since these monotonic seconds.
        self._effect_windows: dict[UUID, float] = {}
        self._offset = wall() - monotonic()
        self._was_set = False

    def start_read(self, operation_id: UUID, *, state: str) -> float:
        """Count a read and return the monotonic time at which it starts.

        Reads from another state of the operation do not count any more.
        """
        at = self._monotonic()
        reads = self._reads.get(operation_id)
        if reads is None or reads.state != state:
            reads = self._reads[operation_id] = _Reads(state)
        reads.started_first = reads.started_first if reads.started else at
        reads.started_last = at
        reads.started += 1
        return at

    def discard_read(self, operation_id: UUID) -> None:
        """Remove the last read from the count, because its request was not sent."""
        self._reads[operation_id].started -= 1

    def reads_started(self, operation_id: UUID) -> int:
        return self._reads.get(operation_id, _Reads()).started

    def add_without_effect(self, operation_id: UUID, *, at: float) -> None:
        """Count a read, started at `at`, that did not show the write."""
        reads = self._reads.setdefault(operation_id, _Reads())
        reads.first = reads.first if reads.without_effect else at
        reads.last = at
        reads.without_effect += 1

    def is_sufficient(self, operation_id: UUID) -> bool:
        """Whether enough reads over enough time showed no effect of the write.

        All of them started after the POST had left, so their spread is less than its age.
        """
        reads = self._reads.get(operation_id, _Reads())
        spread = max(settings.OPERATION_NOT_APPLIED_SPREAD, settings.OPERATION_EFFECT_WINDOW)
        required: int = settings.OPERATION_NOT_APPLIED_READS
        return reads.without_effect >= required and reads.last - reads.first >= spread

    def has_read_long_enough(self, operation_id: UUID) -> bool:
        """Whether the reads of this process span the time in which the POST may take effect."""
        reads = self._reads.get(operation_id, _Reads())
        required: int = settings.OPERATION_NOT_APPLIED_READS
        span = reads.started_last - reads.started_first
        return reads.started >= required and span >= settings.OPERATION_EFFECT_WINDOW

    def ended_effect_windows(self, sent: Iterable[UUID]) -> list[UUID]:
        """Return the operations whose effect window has ended.

        `sent` are all operations whose POST may still take effect. The window is counted from the
        call in which an operation is among them for the first time, which is later than its POST.
        """
        now = self._monotonic()
        self._effect_windows = {one: self._effect_windows.get(one, now) for one in sent}
        window = settings.OPERATION_EFFECT_WINDOW
        return [one for one, since in self._effect_windows.items() if now - since >= window]

    def forget(self, operation_id: UUID) -> None:
        self._reads.pop(operation_id, None)

    def was_clock_set(self) -> bool:
        """Whether the wall clock was set since the start, or since `accept_clock`."""
        jump = self._wall() - self._monotonic() - self._offset
        self._was_set = self._was_set or abs(jump) > _TOLERANCE
        # Slow drift is no jump.
        self._offset += jump
        return self._was_set

    def accept_clock(self) -> None:
        """Accept the present wall clock, after the schedule of reads was restarted."""
        self._was_set = False
