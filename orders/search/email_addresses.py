"""Finds e-mail addresses in text.

An address may have every character that RFC 5322 and RFC 6531 allow, except "|" outside quotes,
which separates cells. It is never shortened: `b@c.de` is not found in `a/b@c.de`, nor in
`"a b"@c.de`.

In scripts that are written without spaces, or that attach particles and prefixes to foreign words,
letters of the script delimit an address, provided that none of them looks like a Latin letter. En
and em dashes, unlike hyphens, are not part of an address.

No library does this. On the 140 lines with addresses of tests/pasted_lines.txt (their domains in
.com), linkify-it-py 2.2.0 reads 45 correctly, urlextract 1.10.0 43, iocsearcher 3.1.0 86; they find
3, 17 and 28 wrong addresses, mostly parts of the correct ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from orders.text import DISTINCT_SCRIPTS, MARKS, fold_text

_LONGEST = 254
_LONGEST_LOCAL_PART = 64

_LABEL = rf"(?:[^\W_]|[{MARKS}-])++"
# A quoted local part ends directly before the @ and is bounded.
_QUOTED = r'"(?=\S)(?:[^"\\\r\n]|\\[^\r\n]){1,62}+(?<=\S)"(?=@)'
# Every run of characters that a local part may have is matched once, so that time is linear.
_RUN = re.compile(
    rf"({_QUOTED}|(?:[\w.!#$%&'*+/=?^`{{}}~-]|[{MARKS}])++)(?:@({_LABEL}(?:\.{_LABEL})*+))?+"
)
_BEHIND_SCRIPT = re.compile(rf"[{DISTINCT_SCRIPTS}](?=[!-~]++\Z)")
_DISTINCT = re.compile(rf"[{DISTINCT_SCRIPTS}]")
_MARKS_FIRST = re.compile(rf"[{MARKS}]+")
# No address begins with these.
_NEVER_FIRST = "-'.*~`"
# Nor with these directly behind another address, from which they separate it.
_BETWEEN = "!#$%&+/=?^{}" + _NEVER_FIRST
_TOP_LEVEL = re.compile(rf"xn--[a-z0-9-]+|(?:[^\W\d_]|[{MARKS}-]){{2,63}}", re.IGNORECASE)
# "logo@2x.png" is a picture.
_PICTURE = re.compile(r"\dx\.(?:gif|jpe?g|png|svg|webp)", re.IGNORECASE)


class EmailAddress(NamedTuple):
    """An e-mail address: as written, as stored for searching, and its position in the text."""

    start: int
    end: int
    text: str
    folded: str


def find_email_addresses(text: str) -> Iterator[EmailAddress]:
    """Yield the addresses in `text` in order of appearance.

    `text` is the result of `normalize_text(..., keeps_dashes=True)`.
    """
    position = last_end = 0
    while match := _RUN.search(text, position):
        position = match.end()
        if match[2] is None:
            continue
        domain = _domain(match[2])
        end = match.start(2) + len(domain)
        local = _local_part(match, end, is_behind_address=match.start() == last_end > 0)
        # What follows a domain that ends within a run may be another address.
        position = max(end, match.start(2))
        if _is_address(local, domain):
            last_end = end
            address = f"{local}@{domain}"
            yield EmailAddress(end - len(address), end, address, fold_text(address))


def _local_part(match: re.Match[str], end: int, *, is_behind_address: bool) -> str:
    local = match[1]
    if local.startswith('"'):
        return local
    for script in _BEHIND_SCRIPT.finditer(local):
        local = local[script.end() :]
    if marks := _MARKS_FIRST.match(local):
        local = local[marks.end() :]
    local = local.lstrip(_BETWEEN if is_behind_address else _NEVER_FIRST)
    if local.count("{") > local.count("}"):
        local = local.lstrip("{")
    is_emphasized = match.string.startswith("_", end)
    return local.lstrip("_") if is_emphasized else local


def _domain(text: str) -> str:
    """Return the domain up to the end of its top-level domain, whose letters share one script."""
    rest, dot, last = text.rpartition(".")
    if _DISTINCT.match(last):
        script = _script_of(last[0])
        end = next((n for n, one in enumerate(last) if _script_of(one) != script), len(last))
    else:
        other = _DISTINCT.search(last)
        end = other.start() if other else len(last)
    return f"{rest}{dot}{last[:end].rstrip('-')}"


def _script_of(letter: str) -> str:
    """Return the first word of the letter's Unicode name: THAI, HIRAGANA, CJK."""
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]


def _is_address(local: str, domain: str) -> bool:
    _, dot, last = domain.rpartition(".")
    return bool(
        dot
        and local
        and len(local) <= _LONGEST_LOCAL_PART
        and len(local) + len(domain) < _LONGEST
        and _TOP_LEVEL.fullmatch(last)
        and not _PICTURE.fullmatch(domain)
    )
