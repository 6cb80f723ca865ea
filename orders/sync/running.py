"""What is due, and doing it: by the worker in slices, by `sync_orders` to the end.

The parts of a sync are generators: each step is short, and yields how long to leave it alone. So
one thread does them beside what is more urgent, and any number of processes may try: the lease
lets one of them.
"""

from __future__ import annotations

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.errors import GoodyError
from orders.models import SyncState
from orders.models.durability import expect_much_writing
from orders.outages import log_unrecorded
from orders.services import why_not_fresh

from .dating import date_orders
from .fetching import Fetchers
from .full import full_sync
from .incremental import bring_up_to_date, read_in_turn
from .intake import Intake
from .lease import Lease, LeaseLost
from .reconcile import last_due, reconcile
from .trouble import Doubt, Suspicious, Trouble, tell
from .walking import Tools

log = logging.getLogger(__name__)

# After a job that failed as a whole, seconds.
_RETRY = 60.0
# After so many seconds of something long it is looked whether anything is more urgent.
_TURN = 10.0
# New objects before garbage is looked for; Python's own measure is 2,000.
_COLLECTED = 50_000
# How long a process that was not given the lease leaves it alone, seconds.
_ELSEWHERE = 1.0


class Job(StrEnum):
    """The parts of a sync, the most urgent first."""

    FIRST = "first"
    INCREMENTAL = "incremental"
    REREAD = "reread"
    AGAIN = "again"
    RECONCILE = "reconcile"
    DATING = "dating"


def due(state: SyncState, now: datetime) -> Job | None:
    """What is to be done now; None while nothing is, or nothing may be."""
    if state.is_stopped or (state.retry_at is not None and _is_ahead(state.retry_at, now)):
        return None
    return next((job for job in Job if _IS_DUE[job](state, now)), None)


def _is_a_round_ago(moment: datetime | None, now: datetime) -> bool:
    interval = timedelta(seconds=settings.SYNC_INTERVAL)
    return moment is None or not now - interval < moment <= now


def _is_reconcile_due(state: SyncState, now: datetime) -> bool:
    latest = max(filter(None, (state.finished_at, state.reconciled_at)))
    return state.is_reconcile_under_way or latest < last_due(now)


_IS_DUE: dict[Job, Callable[[SyncState, datetime], bool]] = {
    Job.FIRST: lambda state, _: not state.is_complete,
    Job.INCREMENTAL: lambda state, now: _is_a_round_ago(state.tried_at, now),
    Job.REREAD: lambda state, now: _is_a_round_ago(state.reread_at, now),
    Job.AGAIN: lambda state, _: state.is_full_wanted or state.is_full_under_way,
    Job.RECONCILE: _is_reconcile_due,
    Job.DATING: lambda state, _: not state.is_dated and not state.is_feed_missing,
}


def _is_ahead(moment: datetime, now: datetime) -> bool:
    """Does it lie before us? Not if it lies so far ahead that the clock was set back since."""
    return now < moment <= now + timedelta(seconds=2 * _RETRY)


type Choose = Callable[[SyncState, datetime], Job | None]


class Runner:
    """One process's part in keeping the index: it holds the lease while something is due.

    `choose` says what is due; `calls_at_once` bounds its calls to Goody; `clock` counts the seconds
    of its waits.
    """

    def __init__(
        self,
        *,
        calls_at_once: int,
        choose: Choose = due,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls_at_once = calls_at_once
        self._choose = choose
        self._clock = clock
        self._tools: Tools | None = None
        self._job: Iterator[float] | None = None
        self.counts: Counter[str] = Counter()
        # Why the latest job ended before it was done, if it did and none has begun since.
        self.failure = ""
        # Somebody else held the lease when it was asked for.
        self.is_elsewhere = False
        # Whoever comes back before is sent away.
        self._alone_until = 0.0

    def run(self, seconds: float) -> float | None:
        """Do what is due for about so many seconds, in steps of a fraction of one.

        Returns how long to leave it alone, 0 if there is more to do at once, None if nothing is
        due here. What goes wrong is told on the state row and not raised.
        """
        if (alone := self._alone_until - self._clock()) > 0:
            return alone
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            try:
                wait = self._step()
            except DatabaseFailure as error:
                # What a bug's error says may quote the row.
                log_unrecorded(log, "what the sync read", error)
                self.close()
                return _ELSEWHERE
            if wait is None or wait >= left:
                self._alone_until = self._clock() + (wait or 0.0)
                return wait
            time.sleep(wait)
        return 0.0

    def close(self) -> None:
        """Leave it as it stands and let others go on at once."""
        tools, self._job, self._tools = self._tools, None, None
        if tools is not None:
            self.counts += tools.intake.counts
            tools.fetchers.close()
            with suppress(DatabaseFailure):
                tools.lease.release()
                expect_much_writing(is_over=True)

    def _step(self) -> float | None:
        if self._job is None and not self._take_up():
            return None
        assert self._job is not None
        assert self._tools is not None
        try:
            return next(self._job)
        except StopIteration:
            self._job = None
        except LeaseLost:
            log.info("somebody else goes on with the sync")
            self.close()
        except Suspicious as complaint:
            log.warning("the sync stops: %s", complaint)
            self._tools.lease.write(suspicion=str(complaint))
            self.close()
        except (GoodyError, Doubt) as error:
            log.warning("the sync cannot go on: %s", error)
            self.failure = str(error)
            tell(self._tools.lease, why_not_fresh(error), now=timezone.now(), wait=_RETRY)
            self.close()
        return 0.0

    def _take_up(self) -> bool:
        """Begin what is due, if something is and nobody else does it."""
        state, now = SyncState.objects.current(), timezone.now()
        job = self._choose(state, now)
        if job is None:
            self.close()
            return False
        if self._tools is None:
            lease = Lease.take()
            self.is_elsewhere = lease is None
            if lease is None:
                return False
            self._tools = self._tools_under(lease)
            expect_much_writing()
            # What others did meanwhile may have left nothing to do.
            return self._take_up()
        self.failure = ""
        self._job = _begin(job, self._tools, state)
        return True

    def _tools_under(self, lease: Lease) -> Tools:
        return Tools(
            lease=lease,
            fetchers=Fetchers(calls_at_once=self._calls_at_once),
            intake=Intake(lease),
            trouble=Trouble(lease),
        )


class Errand:
    """What somebody wants to have done now: the index complete and, since then, up to date.

    `is_full`: every order read again; a full sync that is under way counts as that.
    """

    def __init__(self, *, since: datetime, is_full: bool) -> None:
        self._since = since
        self._runner = Runner(calls_at_once=settings.SYNC_CALLS_AT_ONCE, choose=self._choose)
        self.is_done = False
        state = SyncState.objects.current()
        if is_full and not state.is_full_under_way:
            SyncState.objects.update(is_full_wanted=True)

    @property
    def counts(self) -> Counter[str]:
        """Rows read by this process: new, changed, same, quarantined."""
        return self._runner.counts

    @property
    def failure(self) -> str:
        """Why it cannot be done for now; "" while it can."""
        return self._runner.failure

    def run(self, seconds: float) -> float:
        """Go on for about so many seconds; returns how many to wait then."""
        wait = self._runner.run(seconds)
        if self.is_done:
            return 0.0
        return seconds if wait is None else wait

    def close(self) -> None:
        self._runner.close()

    def _choose(self, state: SyncState, now: datetime) -> Job | None:
        """The rest is the worker's, which has the time."""
        if state.is_stopped or (state.retry_at is not None and _is_ahead(state.retry_at, now)):
            return None
        is_full = state.is_complete and not state.is_full_wanted and not state.is_full_under_way
        if not is_full:
            return Job.AGAIN
        self.is_done = state.synced_at is not None and state.synced_at >= self._since
        return None if self.is_done else Job.INCREMENTAL


def collect_garbage_less() -> None:
    """For a process that does nothing but sync. What was loaded stays loaded; and the rows of a
    first sync come and go so fast that looking for garbage takes a tenth of its time.
    """
    gc.freeze()
    gc.set_threshold(_COLLECTED)


def _begin(job: Job, tools: Tools, state: SyncState) -> Iterator[float]:
    turn_ends = time.monotonic() + _TURN

    def may_go_on() -> bool:
        return time.monotonic() < turn_ends

    match job:
        case Job.FIRST:
            return full_sync(tools, anew=_is_new(state), may_go_on=lambda: True)
        case Job.INCREMENTAL:
            return bring_up_to_date(tools)
        case Job.REREAD:
            return read_in_turn(tools)
        case Job.AGAIN:
            return full_sync(tools, anew=_is_new(state), may_go_on=may_go_on)
        case Job.RECONCILE:
            return reconcile(tools, may_go_on=may_go_on)
        case Job.DATING:
            return date_orders(tools, may_go_on=may_go_on)


def _is_new(state: SyncState) -> bool:
    return state.is_full_wanted or not state.is_full_under_way
