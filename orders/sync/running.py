"""What is due, and doing it: by the worker in slices, by `sync_orders` to the end.

The parts of a sync are generators: each step is short, and yields how long to leave it alone. So
one thread does them beside what is more urgent, and any number of processes may try: the lease
lets one of them.
"""

from __future__ import annotations

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
from orders.services import why_not_fresh

from .fetching import Fetchers
from .full import full_sync
from .intake import Intake
from .lease import Lease, LeaseLost
from .trouble import Doubt, Suspicious, Trouble, tell
from .walking import Tools

log = logging.getLogger(__name__)

# After a job that failed as a whole, seconds.
_RETRY = 60.0
# How long a process that was not given the lease leaves it alone, seconds.
_ELSEWHERE = 1.0


class Job(StrEnum):
    FULL = "full"


def due(state: SyncState, now: datetime) -> Job | None:
    """What is to be done now, the most urgent first; None while nothing is, or nothing may be."""
    if state.is_stopped or (state.retry_at is not None and _is_ahead(state.retry_at, now)):
        return None
    if not state.is_complete:
        return Job.FULL
    if state.is_full_wanted or state.is_full_under_way:
        return Job.FULL
    return None


def _is_ahead(moment: datetime, now: datetime) -> bool:
    """Does it lie before us? Not if it lies so far ahead that the clock was set back since."""
    return now < moment <= now + timedelta(seconds=2 * _RETRY)


type Choose = Callable[[SyncState, datetime], Job | None]


class Runner:
    """One process's part in keeping the index: it holds the lease while something is due.

    `choose` says what is due; `calls_at_once` bounds its calls to Goody.
    """

    def __init__(self, *, calls_at_once: int, choose: Choose = due) -> None:
        self._calls_at_once = calls_at_once
        self._choose = choose
        self._tools: Tools | None = None
        self._job: Iterator[float] | None = None
        self.counts: Counter[str] = Counter()
        # Somebody else held the lease when it was asked for.
        self.is_elsewhere = False

    def run(self, seconds: float) -> float | None:
        """Do what is due for about so many seconds, in steps of a fraction of one.

        Returns how long to leave it alone, 0 if there is more to do at once, None if nothing is
        due here. What goes wrong is told on the state row and not raised.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                wait = self._step()
            except DatabaseFailure as error:
                log.warning("the database does not answer the sync: %s", type(error).__name__)
                self.close()
                return _ELSEWHERE
            if wait is None or wait >= left:
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
            # What others did meanwhile may have left nothing to do.
            return self._take_up()
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

    def run(self, seconds: float) -> float:
        """Go on for about so many seconds; returns how many to wait then."""
        wait = self._runner.run(seconds)
        return seconds if wait is None else wait

    def close(self) -> None:
        self._runner.close()

    def _choose(self, state: SyncState, now: datetime) -> Job | None:
        job = due(state, now)
        self.is_done = job is None and state.is_complete and not state.is_full_under_way
        return job


def _begin(_job: Job, tools: Tools, state: SyncState) -> Iterator[float]:
    anew = state.is_full_wanted or not state.is_full_under_way
    return full_sync(tools, anew=anew)
