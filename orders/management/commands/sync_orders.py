"""`manage.py sync_orders [--full]`: fill the index now, and stay until that is done.

The worker does the same by itself; whoever of them holds the lease does it, and this one then
shows how far the other is. Killed at any moment, the next one goes on.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from orders import sync
from orders.goody_api import NotConfigured, client_beside
from orders.sync import Phase, SyncProgress

# How often it is told how far it is: on a terminal, and in a log; seconds.
_TERMINAL, _LOG = 0.2, 5.0
_STOPPED = 130


class Command(BaseCommand):
    help = "Fill the index of orders from Goody, or bring it up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="read every order again, even if all are known"
        )

    def handle(self, *args: Any, full: bool, **options: Any) -> None:
        try:
            client_beside(calls_at_once=settings.SYNC_CALLS_AT_ONCE)
        except NotConfigured as error:
            raise CommandError(str(error)) from error
        sync.collect_garbage_less()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        started, display = time.monotonic(), _Display()
        errand = sync.Errand(since=timezone.now(), is_full=full)
        try:
            while not errand.is_done and not stop.is_set():
                stop.wait(errand.run(_TERMINAL))
                progress = sync.progress(timezone.now())
                display.show(progress)
                _give_up_if_hopeless(errand, progress)
        finally:
            errand.close()
            display.close()
        if stop.is_set():
            raise CommandError("Stopped; the next run goes on here.", returncode=_STOPPED)
        self.stdout.write(_summary(errand, seconds=time.monotonic() - started))


def _give_up_if_hopeless(errand: sync.Errand, progress: SyncProgress) -> None:
    """Where only a person can help; whatever passes is waited for."""
    if errand.failure:
        raise CommandError(f"The sync is incomplete: {errand.failure}.")
    if progress.phase is Phase.SUSPICIOUS:
        raise CommandError(f"{progress.why} An admin can let the sync go on, on /system/.")
    if progress.phase is Phase.PAUSED and progress.paused_until is None:
        raise CommandError(f"{progress.why}. An admin can check it on /system/.")


def _summary(errand: sync.Errand, *, seconds: float) -> str:
    counts = errand.counts
    parts = [f"{counts[name]:,} {name}" for name in ("new", "changed", "same") if counts[name]]
    if counts["quarantined"]:
        parts.append(f"{counts['quarantined']:,} that cannot be read (see /system/)")
    found = ", ".join(parts) or "nothing read by this process"
    return f"The index is complete and up to date: {found}; {seconds:.1f} s."


class _Display:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._next_line = 0.0

    def show(self, progress: SyncProgress) -> None:
        if sys.stderr.isatty():
            self._draw(progress)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LOG
            sys.stderr.write(f"{_in_words(progress)}\n")

    def _draw(self, progress: SyncProgress) -> None:
        if self._bar is None:
            self._bar = tqdm(unit=" orders", dynamic_ncols=True, file=sys.stderr)
        self._bar.total = progress.total
        self._bar.set_postfix_str(progress.why, refresh=False)
        self._bar.update(progress.imported - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _in_words(progress: SyncProgress) -> str:
    of = f" of {progress.total:,}" if progress.total is not None else ""
    why = f" ({progress.why})" if progress.why else ""
    return f"{progress.imported:,}{of} orders imported{why}"
