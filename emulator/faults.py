"""Fault rules: the requests that get a fault, the number of times, and the kind of fault.

The kinds are in fault_kinds.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any

from emulator.fault_kinds import FAULT_KINDS
from emulator.messages import Json
from emulator.validation import COUNT, OBJECT, STRING, ValueCheck, choice_of

_KIND = choice_of(*sorted(FAULT_KINDS))
_MATCH = {"method": STRING.allowing_null(), "path": STRING}
_RULE = {
    "match": OBJECT.allowing_null(),
    "times": COUNT.allowing_null(),
    "skip": COUNT,
    "fault": OBJECT,
}


@dataclass
class FaultRule:
    """A fault for matching requests.

    The first `skip` matching requests get a normal response, the next `times` get the fault. With
    `times` None, all further ones get it.
    """

    number: int
    method: str | None
    path: str
    times: int | None
    skip: int
    fault: Json
    hits: int = 0

    def matches(self, *, method: str, path: str) -> bool:
        return self.method in (None, method) and re.match(self.path, path) is not None

    def as_dict(self) -> Json:
        return {
            "id": self.number,
            "match": {"method": self.method, "path": self.path},
            "times": self.times,
            "skip": self.skip,
            "hits": self.hits,
            "fault": self.fault,
        }


class FaultRules:
    """The active rules in the order in which they were added. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rules: list[FaultRule] = []
        self._numbers = count(1)

    def add(self, definition: Any) -> FaultRule:
        """Add a rule from its JSON; raises ValueError for an invalid one."""
        definition = _validated("a rule", definition, _RULE)
        match = _validated("match", definition.get("match") or {}, _MATCH)
        rule = FaultRule(
            number=next(self._numbers),
            method=match.get("method"),
            path=_validated_pattern(match.get("path", "/v1/")),
            times=definition.get("times", 1),
            skip=definition.get("skip", 0),
            fault=_validated_fault(definition.get("fault")),
        )
        with self._lock:
            self._rules.append(rule)
        return rule

    def find_for_request(self, *, method: str, path: str) -> FaultRule | None:
        """Return the first rule that applies to this request, which counts as a hit."""
        with self._lock:
            for rule in self._rules:
                if not rule.matches(method=method, path=path) or rule.hits == rule.times:
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.hits += 1
                return rule
        return None

    def clear(self) -> None:
        with self._lock:
            self._rules = []

    def as_list(self) -> list[Json]:
        with self._lock:
            return [rule.as_dict() for rule in self._rules]


def _validated_pattern(path: str) -> str:
    try:
        re.compile(path)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"match.path is not a regular expression: {error}") from error
    return path


def _validated_fault(fault: Any) -> Json:
    if not isinstance(fault, dict) or not _KIND.is_valid(fault.get("kind")):
        raise ValueError(f"fault.kind must be {_KIND.description}")
    return _validated(fault["kind"], fault, {"kind": STRING, **FAULT_KINDS[fault["kind"]].options})


def _validated(name: str, values: Any, checks: Mapping[str, ValueCheck]) -> Json:
    """Return an object with valid values of these options only; raises ValueError."""
    if not isinstance(values, dict):
        raise ValueError(f"{name} must be an object with {', '.join(checks)}")
    unknown = values.keys() - checks.keys()
    if unknown:
        raise ValueError(f"{name} has unknown {', '.join(sorted(unknown))}")
    for option, value in values.items():
        checks[option].validate(option, value)
    return values
