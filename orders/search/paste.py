"""Recognizes identifiers in pasted text.

Identifiers are order and batch ids, receipt references, gift links and e-mail addresses. They are
found anywhere in a ticket, a mail thread or a column of a spreadsheet, each once. Time is linear in
the length of the text.

- An id is a UUID with or without dashes, in any case, in braces, after `urn:uuid:`, or in a link.
  The id alone does not show whether it belongs to an order or to a batch.
- The token of a gift link follows `/gift/` in a link, whatever its host, also where mail filters
  rewrote the link (pasted_links.py).
- A receipt reference is 24 letters and digits, all upper case or all lower case, also in equal
  groups between spaces or dashes. Lower case and groups require a digit, because prose would match
  otherwise. A token without its link may have the same form: look for a reference among the tokens
  as well.
- The beginning of a receipt reference, 6 to 23 letters and digits, directly after "ref:" or
  "receipt".
- A link to Goody that a mail filter replaced by one that does not contain it.
- E-mail addresses: email_addresses.py.

Ids and references may be next to any letter that is not ASCII, ids with dashes next to any letter
that is not a hexadecimal digit, and references in upper case next to any lower-case letter. A
zero-width space or another invisible character between two identifiers separates them; inside one
identifier it is dropped.

A text with several identifiers is a ticket: all of them are looked up, and its words are ignored. A
search is one line of up to 500 bytes that has an operator with a value, or a minus directly before
a word; in a search, a minus excludes and every word counts. A posted text is always a ticket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from orders.text import INVISIBLE, normalize_unicode

from .email_addresses import EmailAddress, find_email_addresses
from .pasted_links import (
    LINK,
    MAILTO,
    decoded_link_parts,
    hidden_link_name,
    mailto_recipients,
    unwrap_link,
)
from .terms import drop_introducing_words, folded_term_text, split_terms

# Fields of PastedIdentifiers with a value.
type _Identifiers = list[tuple[str, Any]]

# The fields of Pasted with identifiers.
KINDS = ("ids", "references", "emails", "gift_tokens", "reference_starts", "hidden_links")
# A longer text, in UTF-8, is not a search.
MAX_SEARCH_BYTES = 500
MAX_CHARACTERS = 100_000

# Mask identifiers and links without one, character by character, so that offsets stay valid.
_TAKEN = "\N{OBJECT REPLACEMENT CHARACTER}"
_OTHER_LINK = "\N{REPLACEMENT CHARACTER}"
# Signs whose compatible forms are letters, which would be joined to the following text.
_NUMBER_SIGNS = str.maketrans("№ºª", "   ")
_DASHES = str.maketrans("–—―", "---")

# A dash before a word is typed for a minus.
_MINUS = re.compile(r"(?<!\S)[–—―]")

_ALONE = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"
# An id with dashes is recognized even directly beside letters that are no hexadecimal digits.
_UUID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"
    "|" + _ALONE.format("-?".join(f"[0-9a-f]{{{length}}}" for length in (8, 4, 4, 4, 12))),
    re.IGNORECASE,
)
_SOLID = re.compile(rf"(?<![0-9A-Z])[0-9A-Z]{{24}}(?![0-9A-Z])|{_ALONE.format('[0-9a-z]{24}')}")
_GROUPED = re.compile(
    _ALONE.format(
        "(?:{})".format(
            "|".join(
                f"{letters}{{{size}}}(?:{gap}{letters}{{{size}}}){{{24 // size - 1}}}"
                for letters in ("[0-9A-Z]", "[0-9a-z]")
                for gap in (" ", "-")
                for size in (3, 4, 6, 8, 12)
            )
        )
    )
)
_CAPITALS_IN_GROUPS = re.compile(r"[0-9A-Z]+(?:[ -]+[0-9A-Z]+)+")
_LABELED = re.compile(
    r"(?<![^\W_])((?i:ref|reference|receipt)(?i:\s{1,3}(?:no|number|id|code))?+\.?)"
    r"(?:\s{0,3}[:#]\s{0,3}|(?<=(?i:receipt))\s{1,3})"
    r"([0-9A-Z]++(?:-[0-9A-Z]++)*+|[0-9a-z]++(?:-[0-9a-z]++)*+)(?![^\W_])"
)
_GAPS = re.compile(r"[ -]+")
_TOKEN = re.compile(r"(?<=[^/])/gift/([A-Za-z0-9_-]{6,128})")
_UNBROKEN = re.compile(r"""[^\s<>"'(),;|\[\]{}]+""")

# The characters of a line around an address that are examined for a header such as "From:".
_MAX_HEADER = 200
_FROM = re.compile(r"[\s>*_|]*(?:from|von|de|da|van|reply-to)[*_]*\s*:", re.IGNORECASE)
_WROTE = re.compile(r"\b(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef)\s*:", re.IGNORECASE)

_PIECE = re.compile(r"""[^\s<>"(),;|\[\]]++""")
_INVISIBLE = re.compile(rf"[{INVISIBLE}]+")
_MARKUP = ("_", "*", "~")
# The length of the shortest identifier: a@b.cd
_SHORTEST = 6
# Signs and markup around the only identifier of a text. A minus before it excludes it.
_SIGN = rf"[^\w\s{_TAKEN}{_OTHER_LINK}-]|_"
_SINGLE = re.compile(rf"(?:{_SIGN})*+(?:urn:uuid:)?+(?:{_TAKEN}++(?:{_SIGN}|-)*+)*+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedIdentifiers:
    """The identifiers in a text, in order of appearance.

    These are ids of orders or batches, references and their beginnings in upper case, folded
    addresses, gift tokens unchanged, and names of links whose target a mail filter hides.
    `is_single`: the whole text is one identifier, perhaps in brackets, in a link or with a scheme.
    `is_ticket`: the text has several identifiers, a hidden link or more than 500 bytes, and is not
    a search.
    """

    ids: tuple[UUID, ...] = ()
    references: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    gift_tokens: tuple[str, ...] = ()
    reference_starts: tuple[str, ...] = ()
    hidden_links: tuple[str, ...] = ()
    # All of these in order of appearance, each as its field and its value.
    mentions: tuple[tuple[str, Any], ...] = field(default=(), compare=False, repr=False)
    # Folded addresses of people who wrote the text or a part of it: "From: …", "… wrote:".
    writers: tuple[str, ...] = field(default=(), compare=False, repr=False)
    # The addresses as written, by folded address.
    spellings: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    is_single: bool = False
    is_ticket: bool = False

    @property
    def count(self) -> int:
        return sum(len(getattr(self, kind)) for kind in KINDS)

    def original_spelling(self, email: str) -> str:
        """Return the spelling in the text of a folded address."""
        return self.spellings.get(email, email)


def recognize_identifiers(text: str) -> PastedIdentifiers:
    """Return all identifiers in the first 100,000 characters of the text. Raises nothing."""
    # One character may become eighteen in its compatible form.
    scanner = _IdentifierScanner(_visible(text[:MAX_CHARACTERS])[:MAX_CHARACTERS].strip())
    scanner.scan()
    pasted = scanner.identifiers()
    return replace(
        pasted,
        is_single=pasted.count == 1 and scanner.has_no_other_text,
        is_ticket=is_too_long_for_url(text)
        or ((pasted.count > 1 or bool(pasted.hidden_links)) and not _is_search(text)),
    )


def split_identifiers_and_terms(text: str) -> tuple[PastedIdentifiers, str]:
    """Return the identifiers in a text, and the remaining terms if it is a search.

    Operators and exclusions are remaining terms, including the identifiers in them. If the text is
    not a search, the second value is "". Raises nothing.
    """
    pasted = recognize_identifiers(text)
    if not pasted.count or pasted.is_single or not _is_search(text):
        return pasted, ""
    named: list[str] = []
    rest: list[str] = []
    plain = _MINUS.sub("-", normalize_unicode(text, keeps_dashes=True))
    for term in drop_introducing_words(list(split_terms(plain))):
        is_rest = term.operator or term.is_excluded or not recognize_identifiers(term.text).count
        (rest if is_rest else named).append(term.text)
    return recognize_identifiers(" ".join(named)), " ".join(rest)


def is_too_long_for_url(text: str) -> bool:
    """Whether a text is too long for a URL, in which its bytes may be encoded twice."""
    return len(text) > MAX_SEARCH_BYTES or len(text.encode(errors="replace")) > MAX_SEARCH_BYTES


def _is_search(text: str) -> bool:
    if is_too_long_for_url(text) or "\n" in text.strip():
        return False
    return any(
        (one.operator or one.is_excluded) and folded_term_text(one)
        for one in split_terms(normalize_unicode(text))
    )


def _visible(text: str) -> str:
    """Return the plain text without invisible characters, keeping its dashes.

    Invisible characters between two identifiers become a space; all others are dropped.
    """
    if _INVISIBLE.search(text):
        text = _PIECE.sub(lambda match: _joined(match[0]), text)
    return normalize_unicode(text.translate(_NUMBER_SIGNS), keeps_dashes=True)


def _joined(piece: str) -> str:
    pieces = [one for one in _INVISIBLE.split(piece) if one]
    return (" " if all(map(_is_apart, pieces)) else "").join(pieces)


def _is_apart(piece: str) -> bool:
    """Whether the piece is one complete identifier, or contains no ASCII letter."""
    if not any("!" <= letter <= "~" for letter in piece):
        return True
    return len(piece) >= _SHORTEST and recognize_identifiers(piece).is_single


class _IdentifierScanner:
    """Finds links, addresses, ids and references in turn, each in the text not matched so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[tuple[int, tuple[str, Any]]] = []
        self._writers: list[str] = []

    def scan(self) -> None:
        self._extract(MAILTO, self._mailto)
        self._extract(LINK, self._link, otherwise=_OTHER_LINK)
        if "gift" in self._text:
            self._extract(_UNBROKEN, self._bare_link)
        if "@" in self._text:
            self._extract_addresses()
        self._text = self._text.translate(_DASHES)
        self._extract(_UUID, lambda match: [("ids", UUID(match[0]))])
        self._extract(_SOLID, lambda match: _reference(match[0], is_grouped=False))
        self._extract(_GROUPED, lambda match: _reference(match[0], is_grouped=True))
        if _CAPITALS_IN_GROUPS.fullmatch(self._text):
            # The reference may be typed or printed in groups of any size.
            self._extract(_CAPITALS_IN_GROUPS, lambda match: _reference(match[0], is_grouped=True))
        self._extract(_LABELED, lambda match: _reference_start(match[1], match[2]))

    def identifiers(self) -> PastedIdentifiers:
        named: dict[str, dict[Any, str]] = {}
        mentions: dict[tuple[str, Any], None] = {}
        for _, (kind, value) in sorted(self._found, key=itemgetter(0)):
            is_email = isinstance(value, EmailAddress)
            key, text = (value.folded, value.text) if is_email else (value, "")
            named.setdefault(kind, {}).setdefault(key, text)
            mentions[kind, key] = None
        fields: dict[str, Any] = {kind: tuple(values) for kind, values in named.items()}
        return PastedIdentifiers(
            **fields,
            mentions=tuple(mentions),
            writers=tuple(dict.fromkeys(self._writers)),
            spellings=named.get("emails", {}),
        )

    @property
    def has_no_other_text(self) -> bool:
        return all(map(_SINGLE.fullmatch, self._text.split()))

    def _extract(
        self,
        pattern: re.Pattern[str],
        read: Callable[[re.Match[str]], _Identifiers],
        *,
        otherwise: str = "",
    ) -> None:
        """Add the identifiers that `read` returns for each match, and mask their text.

        Matches without an identifier are replaced by `otherwise`, or kept if it is "".
        """

        def taken(match: re.Match[str]) -> str:
            named = read(match)
            self._found += [(match.start(), one) for one in named]
            filler = _TAKEN if named else otherwise
            return filler * len(match[0]) if filler else match[0]

        self._text = pattern.sub(taken, self._text)

    def _mailto(self, match: re.Match[str]) -> _Identifiers:
        return _emails(mailto_recipients(match[0]))

    def _link(self, match: re.Match[str]) -> _Identifiers:
        before = match.string[max(match.start() - 1, 0) : match.start()]
        # Emphasized, as in _https://example.com/_
        return _identifiers_in_link(match[0].rstrip(before) if before in _MARKUP else match[0])

    def _bare_link(self, match: re.Match[str]) -> _Identifiers:
        token = _TOKEN.search(unquote(match[0]))
        return [("gift_tokens", token[1])] if token else []

    def _extract_addresses(self) -> None:
        pieces: list[str] = []
        end = 0
        for one in find_email_addresses(self._text):
            self._found.append((one.start, ("emails", one)))
            if self._is_writer(one):
                self._writers.append(one.folded)
            pieces += (self._text[end : one.start], _TAKEN * (one.end - one.start))
            end = one.end
        self._text = "".join((*pieces, self._text[end:]))

    def _is_writer(self, address: EmailAddress) -> bool:
        """Whether the line of the address is a header such as "From:" or ends in "wrote:"."""
        start = self._text.rfind("\n", 0, address.start) + 1
        end = self._text.find("\n", address.end)
        before = self._text[start : address.start][-_MAX_HEADER:]
        after = self._text[address.end : end if end >= 0 else None][:_MAX_HEADER]
        return bool(_FROM.match(before) or _WROTE.search(after))


def _identifiers_in_link(link: str) -> _Identifiers:
    if hidden := hidden_link_name(link := unwrap_link(link)):
        return [("hidden_links", hidden)]
    if MAILTO.match(link):
        return _emails(mailto_recipients(link))
    if token := _TOKEN.search(unquote(link)):
        return [("gift_tokens", token[1])]
    named: _Identifiers = []
    for part in decoded_link_parts(link):
        named += [("ids", UUID(match[0])) for match in _UUID.finditer(part)]
        named += _emails(normalize_unicode(part, keeps_dashes=True)) if "@" in part else []
        named += _reference(part, is_grouped=False) if _SOLID.fullmatch(part) else []
    return named


def _emails(text: str) -> _Identifiers:
    return [("emails", one) for one in find_email_addresses(text)]


def _reference_start(label: str, text: str) -> _Identifiers:
    """Return the beginning of a reference, unless it is a word or a number of something else."""
    solid = text.replace("-", "")
    is_word = solid.isalpha() and (not solid.isupper() or label.isupper() or len(solid) < 8)
    is_one = 6 <= len(solid) < 24 and not solid.isdigit() and not is_word
    return [("reference_starts", solid.upper())] if is_one else []


def _reference(text: str, *, is_grouped: bool) -> _Identifiers:
    solid = _GAPS.sub("", text)
    has_digit = any(map(str.isdigit, solid))
    may_be_prose = is_grouped or not solid.isupper()
    is_one = len(solid) == 24 and (has_digit or not may_be_prose)
    return [("references", solid.upper())] if is_one else []
