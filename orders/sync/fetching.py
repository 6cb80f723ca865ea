"""Several calls to Goody at once, under the one pace, without a database in their threads.

The caller's thread reserves their places in the pace, for several calls in one statement, and
learns from what they end in: on SQLite a thread that had to write the gate row for its next call
would wait for whoever writes orders.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from goody.client import Client, RetryPolicy
from goody.errors import GoodyError, RateLimited, Unauthorized
from orders import goody_api

# For each thread so many calls that wait for it, or answers that wait to be collected: so that
# neither a thread nor whoever writes is idle.
_AHEAD = 2
# The longest anybody looks ahead in the pace, seconds.
_LONGEST = 5.0


@dataclass(frozen=True, slots=True)
class Call:
    """A question to Goody; `about` is what its answer is for.

    `work_out` is what follows from an answer alone: done beside whoever writes, one at a time, and
    while its thread asks for the next already.
    """

    about: Any
    ask: Callable[[Client, RetryPolicy], Any]
    work_out: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a call that started at `read_at`: `answer`, or the error; of one that was not
    made, the error that kept it back.
    """

    about: Any
    read_at: datetime
    answer: Any = None
    error: GoodyError | None = None
    is_made: bool = True


class Crowded(Exception):
    """So many are asking Goody that there is no place in the pace within seconds."""


class Fetchers:
    """Threads that ask Goody. One thread asks through them and collects the answers."""

    def __init__(self, *, calls_at_once: int) -> None:
        self._calls_at_once = calls_at_once
        self._threads = ThreadPoolExecutor(calls_at_once, thread_name_prefix="sync")
        # One alone: of many threads that want Python, the one that writes would seldom get it.
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="sync-beside")
        self._answers: queue.SimpleQueue[Answered | BaseException] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._under_way = 0
        # What shuts the gate: no call that waits for a thread is made any more; and whether all
        # processes know it already.
        self._shut: GoodyError | None = None
        self._is_learned = False

    @property
    def room(self) -> int:
        """How many more may be asked for; where that is next to none, none: so that places in the
        pace are reserved for several at once.
        """
        room = self._calls_at_once * (1 + _AHEAD) - self._under_way
        return room if room >= self._calls_at_once // 2 else 0

    @property
    def is_idle(self) -> bool:
        return not self._under_way

    def ask(self, calls: Sequence[Call]) -> None:
        """Let threads make the calls in their turn. Raises CallsBlocked or Crowded, and none is."""
        client = goody_api.client_beside(calls_at_once=self._calls_at_once)
        waits = goody_api.reserve(len(calls), longest=_LONGEST)
        if not waits:
            raise Crowded
        if self._is_learned:
            # And the gate is open again.
            self._shut, self._is_learned = None, False
        for call, wait in zip(calls, waits, strict=True):
            self._under_way += 1
            self._threads.submit(self._make, call, client, wait)

    def collect(self, *, timeout: float) -> Answered | None:
        """The next answer; waits for it at most `timeout` seconds.

        What an error says about the gate, all processes know afterwards.
        """
        if self.is_idle:
            return None
        try:
            answered = self._answers.get(timeout=timeout)
        except queue.Empty:
            return None
        self._under_way -= 1
        if isinstance(answered, BaseException):
            raise answered
        if answered.error is not None and answered.is_made:
            goody_api.record_error(answered.error)
            self._is_learned = self._is_learned or answered.error is self._shut
        return answered

    def close(self) -> None:
        """End the threads; calls under way end by themselves and their answers are dropped."""
        self._closing.set()
        for pool in (self._threads, self._beside):
            pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, call: Call, client: Client, wait: float) -> None:
        if self._closing.wait(wait):
            return
        read_at = timezone.now()
        if (shut := self._shut) is not None:
            self._answers.put(Answered(call.about, read_at, error=shut, is_made=False))
            return
        # Whoever asked decides on another attempt: a thread that waits for one is of no use.
        policy = replace(goody_api.worker_policy(), attempts=1)
        try:
            answered = Answered(call.about, read_at, answer=call.ask(client, policy))
        except GoodyError as error:
            if isinstance(error, RateLimited | Unauthorized):
                self._shut = error
            self._answers.put(Answered(call.about, read_at, error=error))
        except BaseException as bug:  # noqa: BLE001
            # It is raised in the thread that collects.
            self._answers.put(bug)
        else:
            self._hand_on(answered, call.work_out)

    def _hand_on(self, answered: Answered, work_out: Callable[[Any], Any] | None) -> None:
        if work_out is None:
            self._answers.put(answered)
        elif not self._closing.is_set():
            self._beside.submit(self._work_out, answered, work_out)

    def _work_out(self, answered: Answered, work_out: Callable[[Any], Any]) -> None:
        try:
            self._answers.put(replace(answered, answer=work_out(answered.answer)))
        except BaseException as bug:  # noqa: BLE001
            self._answers.put(bug)
