"""Faults: which request is spoiled, and how.

A rule matches a method and a path, for so many times; the first that matches is used. A fault
says what becomes of the honest answer: late, cut, replaced, bent, or dripped; and whether the
request reaches the store at all. Bytes on the socket are wire.py's.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, repeat
from threading import Event, Lock, Thread
from typing import Any

from emulator.messages import JSON_TYPE, Answer, answer, dump, error
from emulator.wire import Wire

Json = dict[str, Any]
Honest = Callable[[], Answer]

_HTML = b"<!doctype html><html><body><h1>Bad gateway</h1><p>nginx</p></body></html>\n"
_HTML_TYPE = "text/html; charset=utf-8"


@dataclass
class Rule:
    """One fault and when it strikes. `times` None: for ever; `skip`: let so many pass first."""

    number: int
    method: str | None
    path: str
    times: int | None
    skip: int
    fault: Json
    struck: int = 0

    def matches(self, *, method: str, path: str) -> bool:
        return self.method in (None, method) and re.match(self.path, path) is not None

    def as_dict(self) -> Json:
        return {
            "id": self.number,
            "match": {"method": self.method, "path": self.path},
            "times": self.times,
            "skip": self.skip,
            "struck": self.struck,
            "fault": self.fault,
        }


class FaultBook:
    """The rules in force, in the order they were added. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rules: list[Rule] = []
        self._numbers = count(1)

    def add(self, script: Any) -> Rule:
        """A rule from its JSON; raises ValueError, with a sentence, for one that says nothing."""
        if not isinstance(script, dict):
            raise ValueError("a rule is an object with match, times, skip and fault")
        match, fault = script.get("match") or {}, script.get("fault")
        if not isinstance(fault, dict) or fault.get("kind") not in KINDS:
            raise ValueError(f"fault.kind is one of {', '.join(sorted(KINDS))}")
        unknown = fault.keys() - KINDS[fault["kind"]].options - {"kind"}
        if unknown:
            raise ValueError(f"{fault['kind']} does not know {', '.join(sorted(unknown))}")
        path = str(match.get("path", "/v1/"))
        try:
            re.compile(path)
        except re.error as problem:
            raise ValueError(f"match.path is no regular expression: {problem}") from problem
        method, times = match.get("method"), script.get("times", 1)
        rule = Rule(next(self._numbers), method, path, times, int(script.get("skip", 0)), fault)
        with self._lock:
            self._rules.append(rule)
        return rule

    def take(self, *, method: str, path: str) -> Rule | None:
        """The rule that strikes this request, and one time less of it; None mostly."""
        with self._lock:
            for rule in self._rules:
                if not rule.matches(method=method, path=path) or rule.struck == rule.times:
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.struck += 1
                return rule
        return None

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def as_list(self) -> list[Json]:
        with self._lock:
            return [rule.as_dict() for rule in self._rules]


class Late:
    """Requests that reach the store after their client was already let down."""

    def __init__(self, stopping: Event) -> None:
        self._stopping = stopping
        self._lock = Lock()
        self._waiting: list[tuple[Event, Honest]] = []

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def add(self, seconds: float, apply: Honest) -> None:
        """Apply after so many seconds, or at now()."""
        item = Event(), apply
        with self._lock:
            self._waiting.append(item)
        Thread(target=self._wait, args=(seconds, item), daemon=True).start()

    def now(self) -> int:
        """Apply everything that waits; returns how many."""
        with self._lock:
            waiting = list(self._waiting)
        return sum(self._apply(item) for item in waiting)

    def forget(self) -> None:
        """Drop everything that waits, unapplied."""
        with self._lock:
            dropped, self._waiting = self._waiting, []
        for done, _ in dropped:
            done.set()

    def _wait(self, seconds: float, item: tuple[Event, Honest]) -> None:
        if not item[0].wait(seconds) and not self._stopping.is_set():
            self._apply(item)

    def _apply(self, item: tuple[Event, Honest]) -> bool:
        with self._lock:
            if item not in self._waiting:
                return False
            self._waiting.remove(item)
        item[0].set()
        _note(item[1](), "late_apply")
        return True


@dataclass(frozen=True)
class Strike:
    """One fault at work on one request."""

    fault: Json
    wire: Wire
    honest: Honest
    late: Late

    def get(self, name: str, default: Any) -> Any:
        return self.fault.get(name, default)

    @property
    def seconds(self) -> float:
        return float(self.get("seconds", 1.0))

    def apply(self) -> Answer:
        """Let the request reach the store; the ledger notes how it was then answered."""
        return _note(self.honest(), str(self.fault["kind"]))

    def apply_if_asked(self) -> None:
        if self.get("apply", False):
            self.apply()


@dataclass(frozen=True)
class Kind:
    run: Callable[[Strike], None]
    options: frozenset[str] = field(default_factory=frozenset)


def play(fault: Json, *, wire: Wire, honest: Honest, late: Late) -> None:
    """Spoil one request. `honest` carries it out and gives the honest answer."""
    KINDS[fault["kind"]].run(Strike(fault, wire, honest, late))


def _note(honest: Answer, how: str) -> Answer:
    if honest.entry is not None:
        honest.entry["answered"] = how
    return honest


KINDS: dict[str, Kind] = {}
