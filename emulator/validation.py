"""Validation of values in control requests, fault rules and command line options.

An invalid value is therefore rejected when it is set, and not when it is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.order_columns import DAY


@dataclass(frozen=True)
class ValueCheck:
    """A check of a value: a predicate, and the description of valid values for error messages."""

    is_valid: Callable[[Any], bool]
    description: str

    def validate(self, name: str, value: Any) -> Any:
        """Return the value; raises ValueError if it is not valid."""
        if not self.is_valid(value):
            raise ValueError(f"{name} must be {self.description}")
        return value

    def allowing_null(self) -> "ValueCheck":
        return ValueCheck(
            lambda value: value is None or self.is_valid(value), f"{self.description}, or null"
        )


def number_between(low: float, high: float) -> ValueCheck:
    """Return a check for numbers from `low` to `high`, both included. NaN is invalid."""
    return ValueCheck(
        lambda value: _is_instance(value, int, float) and low <= value <= high,
        f"a number between {low:,} and {high:,}",
    )


def integer_between(low: int, high: int) -> ValueCheck:
    """Return a check for integers from `low` to `high`, both included."""
    return ValueCheck(
        lambda value: _is_instance(value, int) and low <= value <= high,
        f"an integer between {low:,} and {high:,}",
    )


def choice_of(*names: str) -> ValueCheck:
    return ValueCheck(lambda value: value in names, f"one of {', '.join(names)}")


def _is_instance(value: Any, *types: type) -> bool:
    """Like isinstance(), but True and False are not numbers."""
    return isinstance(value, types) and not isinstance(value, bool)


def _are_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _are_string_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(_are_strings(pair) and len(pair) == 2 for pair in value)


SECONDS = number_between(0, DAY)
COUNT = integer_between(0, 10**9)
STRING = ValueCheck(lambda value: isinstance(value, str), "a string")
STRINGS = ValueCheck(_are_strings, "a list of strings")
OBJECT = ValueCheck(lambda value: isinstance(value, dict), "an object")
STRING_PAIRS = ValueCheck(_are_string_pairs, "a list of pairs of strings")
