"""Which windows a walk reads: kept in the database, or as long as it lasts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import QuerySet

from orders.models import SyncWindow

from .trouble import Doubt
from .windows import Bounds


@dataclass(frozen=True, slots=True)
class Window:
    """A window to be read. `key` is the plan's, `cut_from` how many the one held that it is of."""

    key: int
    bounds: Bounds
    cut_from: int | None = None


class Plan(Protocol):
    """Which windows are to be read. What changes it, happens in the transaction of the rows."""

    def next(self) -> Window | None:
        """One that is not read yet and was not given before."""

    def done(self, window: Window, total: int) -> None:
        """All its rows are stored."""

    def replace(self, window: Window, parts: Sequence[Bounds], total: int | None) -> None:
        """It is read in parts."""

    def doubt(self, window: Window) -> None:
        """Goody's answers about it contradict each other."""


class InMemory:
    """A plan that lasts as long as the process: one window and what it is cut into, the oldest
    first."""

    def __init__(self, bounds: Bounds) -> None:
        self._count = 1
        self._todo = [Window(1, bounds)]

    def next(self) -> Window | None:
        return self._todo.pop() if self._todo else None

    def done(self, window: Window, total: int) -> None:
        """Nothing is kept."""

    def replace(self, window: Window, parts: Sequence[Bounds], total: int | None) -> None:  # noqa: ARG002
        for part in parts:
            self._count += 1
            self._todo.append(Window(self._count, part, total))

    def doubt(self, window: Window) -> None:
        """Raises Doubt: what comes after it must not be taken to be all there was."""
        raise Doubt(f"what Goody lists up to {window.bounds.before:%Y-%m-%d %H:%M} does not add up")


class Stored:
    """Rows of SyncWindow, the newest first; what is done with them is the subclass's."""

    def __init__(self) -> None:
        self._left: deque[Window] | None = None
        self._given: set[int] = set()

    def todo(self) -> QuerySet[SyncWindow]:
        """Those that are to be read."""
        raise NotImplementedError

    def next(self) -> Window | None:
        if self._left is None:
            rows = self.todo().order_by("-before")
            windows = (Window(row.pk, Bounds(row.after, row.before), row.cut_from) for row in rows)
            self._left = deque(one for one in windows if one.key not in self._given)
        if not self._left:
            return None
        window = self._left.popleft()
        self._given.add(window.key)
        return window

    def look_again(self) -> None:
        """The rows are others than they were."""
        self._left = None
