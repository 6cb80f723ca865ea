"""Folding: texts that mean the same to people become equal, stored and searched for alike.

Neither database folds as the other does, and neither as people expect. A folded text has no marks
(accents, vowel points, dakuten), no case, no invisible characters, straight quotes and hyphens,
ASCII digits and single spaces, in the normal form NFKC: Łukasz, LUKASZ and "lukasz" are one. Also
one are the Arabic and Persian letters yeh and kaf, teh marbuta and heh, and a domain in Punycode
and in Unicode; the tatweel is dropped. The cost: kana that differ in their dakuten become one as
well, and so do words of Indic scripts that differ in their vowel signs. A search that finds a
little more is better than one that misses a person.

Umlauts have two spellings (Müller, Mueller). The stored text holds both, so that a query needs
only one: see `searchable_text`.

Folding is idempotent, and all normal forms of a text fold alike. NUL and surrogates, which
PostgreSQL refuses, never survive. A change of what is stored needs another FOLDING_VERSION: the
worker then folds the stored orders again (orders.index.refolding).
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
_HYPHENS = dict.fromkeys("‐‑‒−⁃֊־᐀᠆", "-")
_DASHES = dict.fromkeys("–—―", "-")
_QUOTES = {
    **dict.fromkeys("‘’‚‛`´′‵ʹʻʼʽʾʿˊˋꞌ՚׳", "'"),
    **dict.fromkeys("“”„‟«»״", '"'),
}
# What the acute accent that stands alone is in the normal forms NFKC and NFKD.
_ACUTE = " \N{COMBINING ACUTE ACCENT}"
# Yeh, kaf, teh marbuta, heh and alef in the forms of Arabic, Persian and Urdu; the tatweel.
_ARABIC = {"ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه", "ۃ": "ه", "ہ": "ه", "ە": "ه", "ٱ": "ا", "ـ": ""}
# Letters and signs that are invisible: fillers of Hangul, of Khmer and of Braille.
_FILLERS = {**dict.fromkeys("\u115f\u1160\u17b4\u17b5\u3164\uffa0", ""), "\u2800": " "}
_STRAIGHT = _QUOTES | _HYPHENS | _DASHES | _FILLERS
FOLDING_VERSION = 2
# As long as a UUID.
_DIGEST_BYTES = 16
_BEYOND_BMP = 0x10000
_MOST_STARTS = 64
# A text of so many characters at most is in no index of trigrams.
MAX_WORD_START_LENGTH = 2

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
LETTER_RUNS = re.compile(r"(?<![^\W\d_])[^\W\d_]{3,30}(?![^\W\d_])")
_WORDS = re.compile(rf"([{_UNSPACED}]+)|([^\W_{_UNSPACED}]+)")


class _Table(dict[int, int | str | None]):
    """A table for str.translate with the replacements, which drops the given categories.

    It caches characters on first use, limited to the first plane of Unicode so that its size is
    bounded.
    """

    def __init__(self, replacements: dict[str, str], *, dropped: tuple[str, ...]) -> None:
        super().__init__({ord(one): other for one, other in replacements.items()})
        self._dropped = dropped

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        category = unicodedata.category(character)
        kept: int | None = code
        if category == "Nd":
            kept = ord("0") + unicodedata.decimal(character)
        elif category.startswith(self._dropped) and not character.isspace():
            kept = None
        if code < _BEYOND_BMP:
            self[code] = kept
        return kept


def _ranges(is_wanted: Callable[[str], bool]) -> str:
    """Return characters of the first Unicode plane as a character class of a regular expression."""
    codes = [code for code in range(_BEYOND_BMP) if is_wanted(chr(code))]
    starts = [code for code in codes if not is_wanted(chr(max(code - 1, 0))) or not code]
    ends = [code for code in codes if code + 1 == _BEYOND_BMP or not is_wanted(chr(code + 1))]
    return "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in zip(starts, ends, strict=True))


# Controls, formats (direction marks, joiners), halves of surrogate pairs.
_INVISIBLE = ("Cc", "Cf", "Cs")
MARKS = _ranges(lambda character: unicodedata.category(character).startswith("M"))
# Invisible characters that are no white space, as a class of a regular expression.
INVISIBLE = _ranges(lambda one: unicodedata.category(one) in _INVISIBLE and not one.isspace())
# A label of a domain, at most 63 characters of ASCII.
_PUNYCODE = re.compile(r"(?<![\w-])xn--([a-z0-9-]{1,59})(?![\w-])")
_LABEL = re.compile(r"[\w-]+")
# In the normal form NFKD.
_UMLAUT = re.compile("([aouAOU])\N{COMBINING DIAERESIS}")
# To those who write "oe" it is one.
_SLASHED = str.maketrans("øØ", "öÖ")
# The second of two letters that may stand for an umlaut: not in "queen" or "Bauer".
_PAIRS = ("ae", "oe", "ue")
_TWO_LETTERS = re.compile("(?<=[aou])(?<![aeiouyq][aou])e")
_AROUND = "".join(
    one
    for one in map(chr, range(_BEYOND_BMP))
    if one.isspace() or unicodedata.category(one) in _INVISIBLE
)
_plain = _Table(_STRAIGHT, dropped=_INVISIBLE)
_plain_but_dashes = _Table(_QUOTES | _HYPHENS | _FILLERS, dropped=_INVISIBLE)
_folded = _Table(
    _STRAIGHT | _LETTERS | _ARABIC | {letter.upper(): plain for letter, plain in _LETTERS.items()},
    dropped=("M", *_INVISIBLE),
)


def normalize_unicode(text: str, *, keeps_dashes: bool = False) -> str:
    """Return the text in NFKC with straight quotes and dashes, ASCII digits and nothing invisible.

    Case, accents and white space stay; with `keeps_dashes`, en and em dashes as well. Idempotent.
    """
    if text.isascii() and text.isprintable():
        return text.replace("`", "'")
    table = _plain_but_dashes if keeps_dashes else _plain
    return unicodedata.normalize("NFKC", text.translate(table)).translate(table)


def fold_text(text: str) -> str:
    """Return the text as it is stored for searching and as it is searched for. Idempotent."""
    if not (text.isascii() and text.isprintable()):
        text = _without_marks(text)
    if text.isascii():
        folded = " ".join(text.lower().replace("`", "'").split())
    else:
        # Folding the case may yield marks and compatible characters anew.
        bare = _without_marks(text.casefold())
        folded = " ".join(unicodedata.normalize("NFKC", bare).split())
    return _PUNYCODE.sub(_decoded, folded) if "xn--" in folded else folded


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("´", "'"))
    return decomposed.replace(_ACUTE, "'").translate(_folded)


def _decoded(label: re.Match[str]) -> str:
    """Return the folded label of a domain; unchanged if not Punycode, or if encoded twice."""
    try:
        decoded = label[1].encode().decode("punycode")
    except UnicodeError:
        return label[0]
    folded = fold_text(decoded) if not decoded.isascii() else ""
    is_label = folded and not folded.startswith("xn--") and _LABEL.fullmatch(folded)
    return folded if is_label else label[0]


def searchable_text(text: str) -> str:
    """Return the folded text to be searched in, followed by `umlaut_spellings`."""
    folded = fold_text(text)
    return " ".join((folded, *umlaut_spellings(text, folded)))


def umlaut_spellings(text: str, folded: str) -> list[str]:
    """Return folded words of the text in their other spelling: "mueller" for Müller.

    These are the words with an umlaut, and those with two letters that may replace an umlaut:
    "muller" for Mueller.
    """
    others: list[str] = []
    if not text.isascii():
        others += fold_text(
            _UMLAUT.sub(r"\1e", unicodedata.normalize("NFKD", text.translate(_SLASHED)))
        ).split()
    # Texts are long, and plain searches several times as fast as the pattern.
    if any(pair in folded for pair in _PAIRS) and _TWO_LETTERS.search(folded):
        others += _TWO_LETTERS.sub("", folded).split()
    known = set(folded.split()) if others else ()
    return [one for one in dict.fromkeys(others) if one not in known]


def strip_invisible(text: str) -> str:
    """Return the text without white space and invisible characters around it."""
    return text.strip(_AROUND)


def folded_words(text: str) -> list[str]:
    """Return the folded words of a text: runs of letters and digits.

    A word also ends where a script that is written without spaces meets another script.
    """
    return [run or word for run, word in _WORDS.findall(fold_text(text))]


def word_starts(text: str) -> set[str]:
    """Return the strings of one and two folded characters at the start of words.

    These are the first two characters of each word, or its only one. In scripts without spaces a
    word may begin anywhere: each character and each adjacent pair of such a run is a start.
    """
    starts: set[str] = set()
    for run, word in _WORDS.findall(fold_text(text)):
        if run:
            starts.update(run, map("".join, pairwise(run)))
        else:
            starts.add(word[:2])
    return starts


def letter_runs(folded: str) -> list[str]:
    """Return the runs of 3 to 30 letters of a folded text; misspelled words are corrected to these.

    A digit ends a run, so that numbered e-mail addresses add few distinct words.
    """
    return LETTER_RUNS.findall(folded)


def trigrams(word: str) -> set[str]:
    """Return every three adjacent characters of the word, after a space is added at both ends."""
    padded = f" {word} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def is_word_start(text: str) -> bool:
    """Whether the folded text is looked up as a word start: one or two letters or digits."""
    return len(text) <= MAX_WORD_START_LENGTH and "".join(folded_words(text)) == text


def word_starts_of_names(people: str) -> set[str]:
    """Return the word starts of the names of an order's people, at most _MOST_STARTS."""
    return set(sorted(word_starts(people))[:_MOST_STARTS])


def hex_digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).hexdigest()


def gift_token_digest(token: str) -> str:
    """Return the hash that finds an order by its gift link, which is secret and not stored."""
    return hex_digest(token.encode())
