"""What a sync read goes into the index here, in short transactions under its lease."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import OperationalError

from orders import index, services
from orders.index import Answer, Row, UpsertResult
from orders.models.durability import rebuildable

from .lease import Lease

# Rows in one transaction, at least and at most, and how long it is meant to take: while it lasts
# nobody else can write to SQLite, and 200 ms of that are too much.
_LEAST, _FIRST, _MOST = 50, 200, 500
_AIM = 0.1
# A lock that was not to be had, a deadlock: the whole transaction once more.
_TRIES = 3


# Steps of a sync that only need to be taken once their rows are stored.
type Step = Callable[[], object]


class Intake:
    """Collects pages of rows, and steps that may only be taken once those rows are stored."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._pages: list[Answer] = []
        self._steps: list[Step] = []
        self._rows = 0
        self._enough = _FIRST
        self.counts: Counter[str] = Counter()
        # When the earliest request of the pages since the latest full sync began here started.
        self.earliest: datetime | None = None

    def add(self, rows: Sequence[Row], *, read_at: datetime) -> None:
        """A page, whose request started at `read_at`."""
        if rows:
            self.earliest = min(self.earliest or read_at, read_at)
            self._pages.append(Answer(rows, read_at))
            self._rows += len(rows)

    @property
    def is_waiting(self) -> bool:
        """Are there rows that are not written yet?"""
        return bool(self._rows)

    @property
    def is_enough(self) -> bool:
        """As much as one transaction should write."""
        return self._rows >= self._enough

    def then(self, step: Step) -> None:
        """Do this in the transaction of what was added so far."""
        self._steps.append(step)

    def flush(self) -> None:
        """Write everything. Raises LeaseLost, and then nothing of it was written."""
        if not self._pages and not self._steps:
            return
        began = time.monotonic()
        remembered = self._write_patiently()
        self._learn_pace(time.monotonic() - began)
        for one in remembered:
            self._counts(one)
        _tell(self._pages, remembered)
        self._pages, self._steps, self._rows = [], [], 0

    def _learn_pace(self, seconds: float) -> None:
        """So many rows next time that it takes as long as it should; small ones teach nothing."""
        if self._rows >= _LEAST:
            rows = round(self._rows * _AIM / max(seconds, 0.001))
            self._enough = min(max(rows, _LEAST), _MOST)

    def _write_patiently(self) -> list[UpsertResult]:
        for _ in range(_TRIES - 1):
            try:
                return self._write()
            except OperationalError:
                continue
        return self._write()

    def _write(self) -> list[UpsertResult]:
        with rebuildable():
            remembered = index.upsert_answers(self._pages)
            for step in self._steps:
                step()
            self._lease.write()
        return remembered

    def _counts(self, one: UpsertResult) -> None:
        self.counts.update(
            new=one.new, changed=one.changed, same=one.same, quarantined=len(one.quarantined)
        )


def _tell(pages: Sequence[Answer], remembered: Sequence[UpsertResult]) -> None:
    """What orders that are new or changed may mean for others."""
    told = [
        (one.parsed, one.quarantined, page.read_at)
        for page, one in zip(pages, remembered, strict=True)
        if one.parsed or one.quarantined
    ]
    for parsed, quarantined, read_at in told:
        services.record_anomalies(parsed, quarantined, now=read_at)
    if told:
        services.reconcile_lists((parsed, read_at) for parsed, _, read_at in told)
