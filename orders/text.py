"""What makes two spellings equal: stored and searched texts are folded here, and nowhere else.

Neither database folds as the other does, and neither as people expect. A folded text has no marks
(accents, vowel points, dakuten), no case, no invisible characters, straight quotes and dashes and
single spaces, in the normal form NFKC: Łukasz, LUKASZ and "lukasz" are one. What this costs: kana
that differ in their dakuten are one as well, and so are words of Indic scripts that differ in
their vowel signs. A search that finds a little more is better than one that misses a person.

Folding twice changes nothing, and no normal form of a text folds differently. NUL and surrogates,
which PostgreSQL refuses, never survive.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise

# Letters with a stroke or a ligature are letters of their own to Unicode, not to who types them.
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŧ": "t",
    "ı": "i", "ĸ": "k", "ŋ": "n",
}  # fmt: skip
_HYPHENS = dict.fromkeys("‐‑‒−", "-")
_DASHES = dict.fromkeys("–—―", "-")
_QUOTES = {
    **dict.fromkeys("‘’‚‛ʼʹ", "'"),
    **dict.fromkeys("“”„‟«»", '"'),
}
_STRAIGHT = _QUOTES | _HYPHENS | _DASHES
# As long as a UUID.
_DIGEST_BYTES = 16
_BEYOND_BMP = 0x10000
_MOST_STARTS = 64
# A text of so many characters at most is in no index of trigrams.
SHORT = 2

# No letter of these scripts looks like one of another, as Cyrillic ones do: where one of them meets
# Latin text, one word ends and another begins. From Hebrew to Ethiopic, and from Khmer on.
DISTINCT_SCRIPTS = (
    "\u0590-\u137f\u1780-\u18af\u1900-\u1c4f\u2d00-\u2ddf\u2e80-\u31ff\u3400-\ua4cf"
    "\ua840-\ua87f\ua8e0-\uab2f\uabc0-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufeff"
    "\U0001e900-\U0001e95f\U00020000-\U0003ffff"
)

# Scripts written without spaces between words, or, as Korean names, between their parts.
_UNSPACED = (
    "\u1100-\u11ff\u3005-\u3007\u3041-\u30ff\u3105-\u318f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORDS = re.compile(rf"([{_UNSPACED}]+)|([^\W_{_UNSPACED}]+)")


class _Table(dict[int, int | str | None]):
    """For str.translate: the replacements, and nothing for characters of the given categories.

    It learns each character when it meets it, as far as the first plane of Unicode goes, so that
    no text can make it large.
    """

    def __init__(self, replacements: dict[str, str], *, dropped: tuple[str, ...]) -> None:
        super().__init__({ord(one): other for one, other in replacements.items()})
        self._dropped = dropped

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        is_dropped = unicodedata.category(character).startswith(self._dropped)
        kept = None if is_dropped and not character.isspace() else code
        if code < _BEYOND_BMP:
            self[code] = kept
        return kept


def _ranges(is_wanted: Callable[[str], bool]) -> str:
    """The characters of the first plane of Unicode as a class of a regular expression."""
    codes = [code for code in range(_BEYOND_BMP) if is_wanted(chr(code))]
    starts = [code for code in codes if not is_wanted(chr(max(code - 1, 0))) or not code]
    ends = [code for code in codes if code + 1 == _BEYOND_BMP or not is_wanted(chr(code + 1))]
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in zip(starts, ends, strict=True))


# Controls, formats (direction marks, joiners), halves of surrogate pairs.
_INVISIBLE = ("Cc", "Cf", "Cs")
MARKS = _ranges(lambda character: unicodedata.category(character).startswith("M"))
# Invisible characters that are no white space, as a class of a regular expression.
INVISIBLE = _ranges(lambda one: unicodedata.category(one) in _INVISIBLE and not one.isspace())
_plain = _Table(_STRAIGHT, dropped=_INVISIBLE)
_plain_but_dashes = _Table(_QUOTES | _HYPHENS, dropped=_INVISIBLE)
_folded = _Table(
    _STRAIGHT | _LETTERS | {letter.upper(): plain for letter, plain in _LETTERS.items()},
    dropped=("M", *_INVISIBLE),
)


def plain(text: str, *, keeps_dashes: bool = False) -> str:
    """Return the text in NFKC with straight quotes and dashes and without invisible characters.

    Case, accents and white space stay; with `keeps_dashes`, en and em dashes as well. Idempotent.
    """
    if text.isascii() and text.isprintable():
        return text
    table = _plain_but_dashes if keeps_dashes else _plain
    return unicodedata.normalize("NFKC", text.translate(table)).translate(table)


def fold(text: str) -> str:
    """The text as it is stored for searching and as it is searched for. Idempotent."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKD", text).translate(_folded)
    if text.isascii():
        return " ".join(text.lower().split())
    # Folding the case may yield marks and compatible characters anew.
    bare = unicodedata.normalize("NFKD", text.casefold()).translate(_folded)
    return " ".join(unicodedata.normalize("NFKC", bare).split())


def words(text: str) -> list[str]:
    """The folded words of a text: runs of letters and digits. Where a script that needs no spaces
    meets another a word ends too.
    """
    return [run or word for run, word in _WORDS.findall(fold(text))]


def word_starts(text: str) -> set[str]:
    """What one and two folded characters are looked up in.

    The first two characters of each word, or its only one. In scripts without spaces a word may
    begin anywhere: each character and each adjacent pair of such a run is a start.
    """
    starts: set[str] = set()
    for run, word in _WORDS.findall(fold(text)):
        if run:
            starts.update(run, map("".join, pairwise(run)))
        else:
            starts.add(word[:2])
    return starts


def is_start(text: str) -> bool:
    """Is the folded text looked up among the starts of words? Of one or two letters or digits."""
    return len(text) <= SHORT and "".join(words(text)) == text


def starts_in(people: str) -> set[str]:
    """By which one or two letters an order is found; of a very long name not by all of them."""
    return set(sorted(word_starts(people))[:_MOST_STARTS])


def digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()


def gift_digest(token: str) -> str:
    """By which an order is found whose gift link somebody has; the link itself is a secret."""
    return digest(token.encode())
