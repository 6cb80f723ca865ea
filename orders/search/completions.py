"""Completes the last word of the search box: operators, their values, and statuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from goody.types import ENDED, ORDER_STATUSES
from orders.text import fold_text, normalize_unicode

from .labels import LabelSuggestion
from .parse import FLAG_FIELDS, OPERATORS

MAX_COMPLETIONS = 12
# A shorter word without an operator may still become any word.
_MIN_LETTERS = 2

# (kind, part of a name) -> labels with such a name.
type Names = Callable[[str, str], Sequence[LabelSuggestion]]


class Completion(NamedTuple):
    """A completion of the last word.

    `text` is the whole text of the box with the completion, `word` the completed word. `meaning`
    explains the word, or is "".
    """

    text: str
    word: str
    meaning: str


def complete_last_word(typed: str, *, names: Names) -> list[Completion]:
    """Return at most MAX_COMPLETIONS completions of the last word of a text.

    A text that ends in a space has no completions. `names` looks up labels by kind; it may raise
    SearchTimeout.
    """
    text = normalize_unicode(typed)
    match = _LAST_WORD.search(text)
    if match is None:
        return []
    minus, operator, value = match["minus"], (match["operator"] or "").lower(), match["value"]
    is_excluded = bool(minus)
    if operator:
        candidates = _values(operator, value, names, is_excluded=is_excluded)
    else:
        candidates = _words(value, is_excluded=is_excluded)
    before = text[: match.start()]
    completed = [
        Completion(f"{before}{minus}{word}", f"{minus}{word}", meaning)
        for word, meaning in candidates
        if f"{minus}{word}" != match[0]
    ]
    return completed[:MAX_COMPLETIONS]


def _words(typed: str, *, is_excluded: bool) -> Iterator[tuple[str, str]]:
    """Yield (word, meaning) of the operators, statuses and flags that begin with `typed`."""
    folded = fold_text(typed)
    if len(folded) < _MIN_LETTERS:
        return
    for name, meaning in _OPERATORS.items():
        if name.startswith(folded) and not (is_excluded and name in _WITHOUT_MINUS):
            yield name, meaning
    for status in _STATUSES:
        if status.startswith(folded):
            yield f"status:{status}", ""
    for flag, meaning in _FLAGS.items():
        if flag.startswith(folded):
            yield f"is:{flag}", meaning


def _values(
    operator: str, typed: str, names: Names, *, is_excluded: bool
) -> Iterator[tuple[str, str]]:
    """Yield (word, meaning) of an operator's values that begin with `typed` or contain it."""
    if operator in _NAMED:
        for one in names(operator, typed.strip('"')):
            yield f"{operator}:{_quoted(one.key if operator == 'sender' else one.name)}", one.name
        return
    # A list of statuses: the last one is completed.
    kept, comma, last = typed.rpartition(",") if operator == "status" else ("", "", typed)
    for value, meaning in _FIXED.get(operator, {}).items():
        is_allowed = not is_excluded or f"{operator}:" not in _WITHOUT_MINUS or value == "none"
        if is_allowed and value.startswith(fold_text(last)):
            yield f"{operator}:{kept}{comma}{value}", meaning


def _quoted(value: str) -> str:
    return f'"{value.replace(chr(34), "")}"' if re.search(r'[\s"]', value) else value


_LAST_WORD = re.compile(
    r"""(?<!\S)(?P<minus>-?)(?:(?P<operator>[a-z]+):)?(?P<value>"[^"]*|[^\s"]+|(?<=:))$""",
    re.IGNORECASE,
)
_OPERATORS: dict[str, str] = {}
for _one in OPERATORS:
    if _one.name.endswith(":"):
        _OPERATORS.setdefault(_one.name, _one.meaning)
# A time or an amount cannot be excluded; `-expires:none` is the exception.
_WITHOUT_MINUS = ("expires:", "created:", "amount:")
_NAMED = ("sender", "workspace", "product", "brand")
_STATUSES = tuple(one for one in ORDER_STATUSES if one == ENDED[-1] or one not in ENDED)
_FLAGS = {one.example.removeprefix("is:"): one.meaning for one in OPERATORS if one.name == "is:"}
_FIXED: dict[str, dict[str, str]] = {
    "status": dict.fromkeys(_STATUSES, ""),
    "is": {flag: _FLAGS[flag] for flag in FLAG_FIELDS},
    "expires": {
        "<24h": "Within 24 hours",
        "<7d": "Within 7 days",
        "<14d": "Within 14 days",
        "past": "Past their expiration",
        "none": "Never expires",
    },
    "created": {"<7d": "In the last 7 days", "<30d": "In the last 30 days"},
    "amount": {">100": "More than $100.00", "<50": "Less than $50.00"},
}
