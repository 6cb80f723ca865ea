"""What a value given to the emulator may be: checks, each with the words for what it wants.

Faults, the control routes and the command line use them, so that a wrong value is refused when it
is given, and not met when it is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.seed import DAY


@dataclass(frozen=True)
class Check:
    """Whether a value is of a kind, and how a sentence names that kind."""

    fits: Callable[[Any], bool]
    words: str

    def of(self, name: str, value: Any) -> Any:
        """The value itself; raises ValueError, with a sentence, if it does not fit."""
        if not self.fits(value):
            raise ValueError(f"{name} is {self.words}")
        return value

    def or_null(self) -> "Check":
        return Check(lambda value: value is None or self.fits(value), f"{self.words}, or null")


def number(low: float, high: float) -> Check:
    """A number within these bounds, which NaN is not."""
    return Check(
        lambda value: _is(value, int, float) and low <= value <= high,
        f"a number between {low:,} and {high:,}",
    )


def whole(low: int, high: int) -> Check:
    return Check(
        lambda value: _is(value, int) and low <= value <= high,
        f"a whole number between {low:,} and {high:,}",
    )


def one_of(*names: str) -> Check:
    return Check(lambda value: value in names, f"one of {', '.join(names)}")


def _is(value: Any, *types: type) -> bool:
    """True and false are no numbers here, though Python takes them for some."""
    return isinstance(value, types) and not isinstance(value, bool)


def _is_replacements(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and _are_texts(pair) for pair in value
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


SECONDS = number(0, DAY)
AMOUNT = whole(0, 10**9)
TEXT = Check(lambda value: isinstance(value, str), "a text")
TEXTS = Check(_are_texts, "a list of texts")
OBJECT = Check(lambda value: isinstance(value, dict), "an object")
REPLACEMENTS = Check(_is_replacements, "a list of pairs of texts")
