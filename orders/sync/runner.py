"""Chooses the jobs of a sync that are due, and runs them under the lease."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.errors import GoodyError
from orders.models import SyncState
from orders.models.durability import tune_for_bulk_writes
from orders.outages import log_storage_failure
from orders.services import stale_copy_reason

from .batch_writer import BatchWriter
from .context import Backoff, SyncContext, SyncStopped, record_sync_problem
from .fetching import FetchThreads
from .full_sync import MassDeletionSuspected, backfill_created_at, run_full_sync
from .incremental_sync import reread_orders, sync_changes
from .lease import Lease, LeaseLost
from .reconcile import compare_counts, last_reconcile_time
from .scan_plans import InconsistentListing

log = logging.getLogger(__name__)

# How long the sync pauses after a job that failed as a whole, seconds.
_RETRY = 60.0
# After this number of seconds a long job yields to a more urgent one.
_TURN = 10.0
# New objects between garbage collections; Python's default is 2,000.
_GC_THRESHOLD = 50_000


class SyncJob(StrEnum):
    """The jobs of a sync, the most urgent first."""

    FIRST = "first"
    INCREMENTAL = "incremental"
    REREAD = "reread"
    AGAIN = "again"
    RECONCILE = "reconcile"
    BACKFILL = "backfill"


type Choose = Callable[[SyncState, datetime], SyncJob | None]


def due_job(state: SyncState, now: datetime) -> SyncJob | None:
    """Return the most urgent job that is due.

    Return None if none is due, or if the sync is stopped or pauses.
    """
    if _is_on_hold(state, now):
        return None
    return next((job for job in SyncJob if _IS_DUE[job](state, now)), None)


def choose_jobs_until_current(*, since: datetime) -> Choose:
    """Return a chooser of the jobs that make the index complete and up to date as of `since`."""

    def choose(state: SyncState, now: datetime) -> SyncJob | None:
        if _is_on_hold(state, now):
            return None
        if not state.is_complete:
            return SyncJob.FIRST
        if _is_full_sync_due(state):
            return SyncJob.AGAIN
        return None if _is_current(state, since) else SyncJob.INCREMENTAL

    return choose


def is_index_current(*, since: datetime) -> bool:
    """Whether the index is complete and was brought up to date after `since`."""
    state = SyncState.objects.current()
    return state.is_complete and not _is_full_sync_due(state) and _is_current(state, since)


def request_full_sync() -> None:
    """Schedule a full sync, unless one is in progress."""
    if not SyncState.objects.current().is_full_sync_running:
        SyncState.objects.update(is_full_wanted=True)


def _is_on_hold(state: SyncState, now: datetime) -> bool:
    """Whether the sync is stopped or waits for its next attempt.

    A time further ahead than any wait was stored before the clock was set back, and is ignored.
    """
    latest = now + timedelta(seconds=2 * _RETRY)
    return state.is_stopped or (state.retry_at is not None and now < state.retry_at <= latest)


def _is_full_sync_due(state: SyncState) -> bool:
    return state.is_full_wanted or state.is_full_sync_running


def _is_current(state: SyncState, since: datetime) -> bool:
    return state.synced_at is not None and state.synced_at >= since


def _is_interval_over(since: datetime | None, now: datetime) -> bool:
    interval = timedelta(seconds=settings.SYNC_INTERVAL)
    return since is None or not now - interval < since <= now


def _is_reconcile_due(state: SyncState, now: datetime) -> bool:
    latest = max(filter(None, (state.finished_at, state.reconciled_at)))
    return state.is_reconcile_under_way or latest < last_reconcile_time(now)


_IS_DUE: dict[SyncJob, Callable[[SyncState, datetime], bool]] = {
    SyncJob.FIRST: lambda state, _: not state.is_complete,
    SyncJob.INCREMENTAL: lambda state, now: _is_interval_over(state.tried_at, now),
    SyncJob.REREAD: lambda state, now: _is_interval_over(state.reread_at, now),
    SyncJob.AGAIN: lambda state, _: _is_full_sync_due(state),
    SyncJob.RECONCILE: _is_reconcile_due,
    SyncJob.BACKFILL: lambda state, _: not state.is_backfilled and not state.is_feed_missing,
}


class SyncRun:
    """Runs the jobs that `choose` returns, in the calling thread, until it returns None.

    Not thread-safe. `stop` ends a run within a fraction of a second, except for calls in progress.
    `calls_at_once` bounds concurrent calls to Goody (SYNC_CALLS_AT_ONCE by default).
    """

    def __init__(
        self, *, stop: threading.Event, choose: Choose = due_job, calls_at_once: int | None = None
    ) -> None:
        self._stop = stop
        self._choose = choose
        self._calls_at_once = calls_at_once or settings.SYNC_CALLS_AT_ONCE
        self._context: SyncContext | None = None
        # Rows read so far: new, changed, same, quarantined.
        self.counts: Counter[str] = Counter()
        # Why the latest job failed; "" if it did not.
        self.failure = ""

    def run(self) -> bool:
        """Run jobs until none is due, one fails, another process holds the lease, or `stop` is set.

        Return whether there was a job to run. Failures are stored in the state row or logged, and
        not raised.
        """
        has_run = False
        try:
            while job := self._next_job():
                has_run = True
                if not self._run_job(*job):
                    break
        except SyncStopped:
            pass
        except LeaseLost:
            log.info("another process continues the sync")
        except DatabaseFailure as error:
            # The message of an error that is a bug may quote the row.
            log_storage_failure(log, "what the sync read", error)
        finally:
            self._release()
        return has_run

    def _next_job(self) -> tuple[SyncJob, SyncState, SyncContext] | None:
        if self._stop.is_set():
            return None
        state = SyncState.objects.current()
        job = self._choose(state, timezone.now())
        if job is None:
            return None
        if self._context is None:
            lease = Lease.acquire()
            if lease is None:
                return None
            self._context = self._make_context(lease)
            tune_for_bulk_writes()
            # The previous holder may have done the job meanwhile.
            return self._next_job()
        return job, state, self._context

    def _make_context(self, lease: Lease) -> SyncContext:
        return SyncContext(
            lease=lease,
            fetchers=FetchThreads(calls_at_once=self._calls_at_once),
            writer=BatchWriter(lease),
            backoff=Backoff(lease),
            stop=self._stop,
        )

    def _run_job(self, job: SyncJob, state: SyncState, context: SyncContext) -> bool:
        """Run a job and return whether it succeeded."""
        self.failure = ""
        try:
            _run(job, state, context)
        except MassDeletionSuspected as suspicion:
            log.warning("the sync stops: %s", suspicion)
            context.lease.update_state(suspicion=str(suspicion))
        except (GoodyError, InconsistentListing) as error:
            log.warning("the sync cannot go on: %s", error)
            self.failure = str(error)
            now = timezone.now()
            record_sync_problem(context.lease, stale_copy_reason(error), now=now, wait=_RETRY)
        else:
            return True
        return False

    def _release(self) -> None:
        """Release the lease, so that another process can continue at once."""
        context, self._context = self._context, None
        if context is not None:
            self.counts += context.writer.counts
            context.fetchers.close()
            with suppress(DatabaseFailure):
                context.lease.release()
                tune_for_bulk_writes(is_over=True)


def _run(job: SyncJob, state: SyncState, context: SyncContext) -> None:
    turn = time.monotonic() + _TURN
    is_new = state.is_full_wanted or not state.is_full_sync_running
    match job:
        case SyncJob.FIRST:
            run_full_sync(context, is_new=is_new)
        case SyncJob.INCREMENTAL:
            sync_changes(context)
        case SyncJob.REREAD:
            reread_orders(context)
        case SyncJob.AGAIN:
            run_full_sync(context, is_new=is_new, deadline=turn)
        case SyncJob.RECONCILE:
            compare_counts(context, deadline=turn)
        case SyncJob.BACKFILL:
            backfill_created_at(context, deadline=turn)


def tune_garbage_collector() -> None:
    """Tune the garbage collector for a process that syncs.

    Loaded modules remain in memory, and the rows of a first sync are created and freed so fast that
    collecting at the default threshold takes a tenth of its time.
    """
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
