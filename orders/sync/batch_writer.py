"""Writes the rows of a sync to the index, in short transactions under its lease."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import OperationalError

from orders import index, services
from orders.index import OrderOfResponse, OrdersOfResponse, UpsertResult
from orders.models.durability import non_durable_transaction

from .lease import Lease

# Rows in a transaction, and its intended duration in seconds: no other connection can write to
# SQLite meanwhile, and 200 ms would be too long.
_MIN_ROWS, _INITIAL_ROWS, _MAX_ROWS = 50, 200, 500
_TARGET_SECONDS = 0.1
# After a lock timeout or a deadlock the whole transaction is repeated.
_ATTEMPTS = 3


class BatchWriter:
    """Collects pages of rows, and functions to call in the transaction that stores them."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._pages: list[OrdersOfResponse] = []
        self._before_commit: list[Callable[[], object]] = []
        self._rows = 0
        self._batch_size = _INITIAL_ROWS
        self.counts: Counter[str] = Counter()
        # When the first request of the pages since the latest full sync started here was made.
        self.earliest_read_at: datetime | None = None

    def add(self, rows: Sequence[OrderOfResponse], *, read_at: datetime) -> None:
        """Add a page whose request started at `read_at`."""
        if rows:
            self.earliest_read_at = min(self.earliest_read_at or read_at, read_at)
            self._pages.append(OrdersOfResponse(rows, read_at))
            self._rows += len(rows)

    @property
    def has_rows(self) -> bool:
        """Whether there are rows that are not written yet."""
        return bool(self._rows)

    @property
    def is_full(self) -> bool:
        """Whether there are as many rows as one transaction should write."""
        return self._rows >= self._batch_size

    def call_before_commit(self, call: Callable[[], object]) -> None:
        """Call the function in the transaction of the rows that were added so far."""
        self._before_commit.append(call)

    def flush(self) -> None:
        """Write all rows. Raises LeaseLost, and then writes nothing."""
        if not self._pages and not self._before_commit:
            return
        started = time.monotonic()
        results = self._write_with_retries()
        self._adapt_batch_size(time.monotonic() - started)
        for result in results:
            self._count(result)
        _report_changes(self._pages, results)
        self._pages, self._before_commit, self._rows = [], [], 0

    def _adapt_batch_size(self, seconds: float) -> None:
        """Adapt the batch size to the duration of the last write.

        Small batches are ignored, because most of their time does not depend on the rows.
        """
        if self._rows >= _MIN_ROWS:
            rows = round(self._rows * _TARGET_SECONDS / max(seconds, 0.001))
            self._batch_size = min(max(rows, _MIN_ROWS), _MAX_ROWS)

    def _write_with_retries(self) -> list[UpsertResult]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._write()
            except OperationalError:
                continue
        return self._write()

    def _write(self) -> list[UpsertResult]:
        with non_durable_transaction():
            results = index.upsert_responses(self._pages)
            for call in self._before_commit:
                call()
            self._lease.update_state()
        return results

    def _count(self, result: UpsertResult) -> None:
        self.counts.update(
            new=result.new,
            changed=result.changed,
            same=result.same,
            quarantined=len(result.quarantined),
        )


def _report_changes(pages: Sequence[OrdersOfResponse], results: Sequence[UpsertResult]) -> None:
    """Record anomalies of new and changed orders, and schedule reads of those with open writes."""
    changes = [
        (result.parsed, result.quarantined, page.read_at)
        for page, result in zip(pages, results, strict=True)
        if result.parsed or result.quarantined
    ]
    for parsed, quarantined, read_at in changes:
        services.record_anomalies(parsed, quarantined, now=read_at)
    if changes:
        services.request_reads(order for parsed, _, _ in changes for order in parsed)
