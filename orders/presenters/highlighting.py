"""Highlights the searched words in a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from orders.text import MAX_WORD_START_LENGTH, fold_text


class TextPart(NamedTuple):
    text: str
    is_match: bool


def highlight_words(text: str, words: Iterable[str]) -> list[TextPart]:
    """Split a text into parts, of which those that match one of the folded words are marked.

    A word of one or two letters matches only the start of a word, as in a search. Other spellings
    (Mueller for Müller) are not highlighted.
    """
    folded, places = _fold_by_character(text)
    marked = [False] * len(text)
    for word in words:
        for start in _occurrences(folded, word):
            end = places[start + len(word)]
            marked[places[start] : end] = [True] * (end - places[start])
    return list(_parts(text, marked))


def _fold_by_character(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and the place in the text of each folded character and of the end."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        letters = " " if character.isspace() else fold_text(character)
        folded += letters
        places += [place] * len(letters)
    return "".join(folded), [*places, len(text)]


def _occurrences(folded: str, word: str) -> Iterator[int]:
    start = folded.find(word) if word else -1
    while start >= 0:
        is_start = start == 0 or not folded[start - 1].isalnum()
        if len(word) > MAX_WORD_START_LENGTH or is_start:
            yield start
        start = folded.find(word, start + 1)


def _parts(text: str, marked: Sequence[bool]) -> Iterator[TextPart]:
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or marked[place] != marked[start]:
            yield TextPart(text[start:place], marked[start])
            start = place
