"""`manage.py sync_orders [--full]`: bring the index up to date now, and exit when it is.

The worker does the same continuously. If another process holds the lease, this command shows the
progress of that process. After a kill at any moment, the next run continues.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from argparse import ArgumentParser
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone
from tqdm import tqdm

from orders import sync
from orders.goody_api import NotConfigured, make_separate_client
from orders.sync import SyncPhase, SyncProgress

# How often the progress is shown, on a terminal and in a log, seconds.
_TERMINAL, _LOG = 0.2, 5.0
# How often it is looked whether another process has finished, seconds.
_POLL = 0.2
_STOPPED = 130


class Command(BaseCommand):
    help = "Fill the index of orders from Goody, or bring it up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="read every order again, even if all are known"
        )

    def handle(self, *args: Any, full: bool, **options: Any) -> None:
        try:
            make_separate_client(calls_at_once=settings.SYNC_CALLS_AT_ONCE)
        except NotConfigured as error:
            raise CommandError(str(error)) from error
        sync.tune_garbage_collector()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        started, since = time.monotonic(), timezone.now()
        if full:
            sync.request_full_sync()
        run = sync.SyncRun(stop=stop, choose=sync.choose_jobs_until_current(since=since))
        with ThreadPoolExecutor(1) as pool:
            _watch(pool.submit(_sync, run, since, stop), run, stop)
        if stop.is_set():
            raise CommandError("Stopped; the next run continues.", returncode=_STOPPED)
        self.stdout.write(_summary(run, seconds=time.monotonic() - started))


def _sync(run: sync.SyncRun, since: datetime, stop: threading.Event) -> None:
    """Run the sync in a thread, and close the database connection of the thread."""
    try:
        while not (stop.is_set() or sync.is_index_current(since=since)):
            if not run.run():
                stop.wait(_POLL)
    finally:
        connections.close_all()


def _watch(future: Future[None], run: sync.SyncRun, stop: threading.Event) -> None:
    """Show the progress until the thread ends; stop it if only a person can help."""
    display = _Display()
    try:
        while wait([future], timeout=_TERMINAL).not_done:
            progress = sync.read_progress(timezone.now())
            display.show(progress)
            _raise_if_person_required(run, progress)
    except BaseException:
        # The end of the command waits for the thread.
        stop.set()
        raise
    finally:
        display.close()
    future.result()


def _raise_if_person_required(run: sync.SyncRun, progress: SyncProgress) -> None:
    """Raise CommandError for problems that require a person."""
    if run.failure:
        raise CommandError(f"The sync is incomplete: {run.failure}.")
    if progress.phase is SyncPhase.SUSPICIOUS:
        raise CommandError(f"{progress.problem} An admin can let the sync go on, on /system/.")
    if progress.phase is SyncPhase.PAUSED and progress.paused_until is None:
        raise CommandError(f"{progress.problem}. An admin can check it on /system/.")


def _summary(run: sync.SyncRun, *, seconds: float) -> str:
    counts = run.counts
    parts = [f"{counts[name]:,} {name}" for name in ("new", "changed", "same") if counts[name]]
    if counts["quarantined"]:
        parts.append(f"{counts['quarantined']:,} that cannot be read (see /system/)")
    found = ", ".join(parts) or "nothing read by this process"
    return f"The index is complete and up to date: {found}; {seconds:.1f} s."


class _Display:
    """A progress bar on a terminal, otherwise a line from time to time."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._next_line = 0.0

    def show(self, progress: SyncProgress) -> None:
        if sys.stderr.isatty():
            self._draw(progress)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LOG
            sys.stderr.write(f"{_describe(progress)}\n")

    def _draw(self, progress: SyncProgress) -> None:
        if self._bar is None:
            self._bar = tqdm(unit=" orders", dynamic_ncols=True, file=sys.stderr)
        self._bar.total = progress.total
        self._bar.set_postfix_str(progress.problem, refresh=False)
        self._bar.update(progress.imported - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _describe(progress: SyncProgress) -> str:
    of = f" of {progress.total:,}" if progress.total is not None else ""
    why = f" ({progress.problem})" if progress.problem else ""
    return f"{progress.imported:,}{of} orders imported{why}"
