"""Parses amounts of money in the search box. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple


class AmountRange(NamedTuple):
    """Amounts in US cents from `start` up to `end`, which is excluded; None means unbounded."""

    start: int | None = None
    end: int | None = None


def parse_amount(value: str) -> AmountRange | None:
    """Return the range of amounts for a text such as "44.10", "$1,250" or ">100".

    The range of "44" is $44.00 to $44.99. Return None if the text is not an amount.
    """
    match = _AMOUNT.fullmatch(value)
    if match is None:
        return None
    comparison, dollars, cents = match.groups()
    exact = int(dollars.replace(",", "")) * 100 + int((cents or "").ljust(2, "0"))
    match comparison:
        case ">":
            return AmountRange(start=exact + 1)
        case ">=":
            return AmountRange(start=exact)
        case "<":
            return AmountRange(end=exact)
        case "<=":
            return AmountRange(end=exact + 1)
    return AmountRange(exact, exact + (1 if cents else 100))


def is_dollar_amount(word: str) -> bool:
    """Whether a word is an amount with a dollar sign, such as "$44.10"."""
    return word.startswith("$") and parse_amount(word) is not None


_AMOUNT = re.compile(r"(>=|<=|>|<)?\$?(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?:\.(\d{1,2}))?")
