"""Fault scripts: which requests are spoiled, how often, and by which kind of fault.

A rule matches a method and a path, for so many times; the first that matches strikes. What each
kind then does to the answer stands in spoil.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any

from emulator.checks import AMOUNT, OBJECT, TEXT, Check, one_of
from emulator.spoil import KINDS

Json = dict[str, Any]

_KIND = one_of(*sorted(KINDS))
_MATCH = {"method": TEXT.or_null(), "path": TEXT}
_SCRIPT = {
    "match": OBJECT.or_null(),
    "times": AMOUNT.or_null(),
    "skip": AMOUNT,
    "fault": OBJECT,
}


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
        script = _checked("a rule", script, _SCRIPT)
        match = _checked("match", script.get("match") or {}, _MATCH)
        rule = Rule(
            number=next(self._numbers),
            method=match.get("method"),
            path=_expression(match.get("path", "/v1/")),
            times=script.get("times", 1),
            skip=script.get("skip", 0),
            fault=_fault(script.get("fault")),
        )
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


def _expression(path: str) -> str:
    try:
        re.compile(path)
    except (re.error, OverflowError, RecursionError) as problem:
        raise ValueError(f"match.path is no regular expression: {problem}") from problem
    return path


def _fault(fault: Any) -> Json:
    if not isinstance(fault, dict) or not _KIND.fits(fault.get("kind")):
        raise ValueError(f"fault.kind is {_KIND.words}")
    return _checked(fault["kind"], fault, {"kind": TEXT, **KINDS[fault["kind"]].options})


def _checked(name: str, values: Any, checks: Mapping[str, Check]) -> Json:
    """An object with these options only, each as its check wants it. Raises ValueError."""
    if not isinstance(values, dict):
        raise ValueError(f"{name} is an object with {', '.join(checks)}")
    unknown = values.keys() - checks.keys()
    if unknown:
        raise ValueError(f"{name} does not know {', '.join(sorted(unknown))}")
    for option, value in values.items():
        checks[option].of(option, value)
    return values
