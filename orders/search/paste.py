"""What a pasted text names: order and batch ids, receipt references, gift links, e-mail addresses.

A ticket, a mail thread, a column of a spreadsheet: everything is found wherever it stands, each
once, and the rest of the text is left aside. Time is linear in the text.

- An id is a UUID with or without dashes, in any case, in braces, behind `urn:uuid:`, in the address
  of a page. Whether it is an order's or a batch's cannot be seen from it.
- The token of a gift link is what follows `/gift/` in an address, whatever its host, also where a
  mail filter wrapped the address into another.
- A receipt reference is 24 letters and digits, all capitals or all small, also in equal groups
  between spaces or dashes. Small letters and groups need a digit, or any prose would do. A token
  without its link may look like that too: look for a reference among the tokens as well.

A text that names several things is a ticket: looked up is all that it names, and its words are
prose. Unless it is written as a search: in one line of up to 500 characters, with an operator that
has a value or a minus directly before a word. In a search a minus excludes, and nothing that was
written is left aside. Whatever is posted to be looked up is a ticket.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from orders.text import fold, plain

from .parse import terms, text_of

# From here on a text is no search any more.
LONG = 500
MOST_LETTERS = 100_000
_LONGEST_ADDRESS = 254

# Stands where something was found and taken out of the text.
_TAKEN = "\N{OBJECT REPLACEMENT CHARACTER}"
_ALONE = r"(?<![^\W_]){}(?![^\W_])"
# Between what separates addresses in lists, tables, brackets and quotes.
_UNBROKEN = re.compile(r"""[^\s<>"'(),;|\[\]{}]+""")
_TOKEN = re.compile(r"(?<=[^/])/gift/([A-Za-z0-9_-]{6,128})")
# Nothing here can begin in the middle of a run, so that no run is read twice.
_EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]{1,64}@(?:(?:[^\W_]|-)+\.)+(?:[^\W_]|-)+")
_UUID = re.compile(
    _ALONE.format("-?".join(f"([0-9a-f]{{{length}}})" for length in (8, 4, 4, 4, 12))),
    re.IGNORECASE,
)
_SOLID = re.compile(_ALONE.format("(?:[0-9A-Z]{24}|[0-9a-z]{24})"))
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
_GAPS = re.compile(r"[ -]+")
_AROUND_ONE = re.compile(
    rf"""[<>()\[\]{{}}"'.,;:!?#*]*+
    (?: (?: (?:mailto:|urn:uuid:)?+ {_TAKEN} [<>()\[\]{{}}"'.,;:!?#*]*+ )++
    | https?://[^{_TAKEN}]*+{_TAKEN}[^{_TAKEN}]*+ )""".replace("#", r"\#"),
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """`ids` are those of orders or batches; references are in capitals, addresses folded, tokens
    as they came.

    `is_single`: the whole text is one such thing, within brackets, an address or the like at most.
    `is_many`: a ticket, that is several things, or a text over 500 characters, and no search.
    """

    ids: tuple[UUID, ...] = ()
    references: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    gift_tokens: tuple[str, ...] = ()
    is_single: bool = False
    is_many: bool = False

    @property
    def count(self) -> int:
        return len(self.ids) + len(self.references) + len(self.emails) + len(self.gift_tokens)


def recognize(text: str) -> Pasted:
    """Everything that the first 100,000 characters of the text name. Raises nothing."""
    # One character may be written out as eighteen.
    rest = _Rest(plain(text[:MOST_LETTERS])[:MOST_LETTERS].strip())
    tokens = rest.take(_UNBROKEN, _token)
    emails = rest.take(_EMAIL, _email)
    ids = rest.take(_UUID, lambda found: UUID("".join(found.groups())))
    references = rest.take(_SOLID, _solid) | rest.take(_GROUPED, _grouped)
    if _CAPITALS_IN_GROUPS.fullmatch(rest.text):
        # However it was typed or printed.
        references |= rest.take(_CAPITALS_IN_GROUPS, _grouped)
    count = len(tokens) + len(emails) + len(ids) + len(references)
    return Pasted(
        ids=tuple(ids),
        references=tuple(references),
        emails=tuple(emails),
        gift_tokens=tuple(tokens),
        is_single=count == 1 and rest.is_nothing_else,
        is_many=len(text) > LONG or (count > 1 and not _is_search(text)),
    )


def take_apart(text: str) -> tuple[Pasted, str]:
    """What a text in the box names, and, of a search that names several things, what else it says:
    the things behind an operator or a minus are part of that. Raises nothing.
    """
    pasted = recognize(text)
    if pasted.count < 2 or pasted.is_many:
        return pasted, ""
    named: list[str] = []
    rest: list[str] = []
    for term in terms(plain(text)):
        is_said = term.operator or term.is_excluded or not recognize(term.text).count
        (rest if is_said else named).append(term.text)
    return recognize(" ".join(named)), " ".join(rest)


def _is_search(text: str) -> bool:
    if len(text) > LONG or "\n" in text.strip():
        return False
    return any((one.operator or one.is_excluded) and text_of(one) for one in terms(plain(text)))


class _Rest:
    """What of the text has not been recognized yet."""

    def __init__(self, text: str) -> None:
        self.text = text

    def take[T](
        self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], T | None]
    ) -> dict[T, None]:
        """Take out what the pattern finds and `read` makes something of, each once."""
        taken: dict[T, None] = {}

        def take_one(found: re.Match[str]) -> str:
            if (thing := read(found)) is None:
                return found[0]
            taken[thing] = None
            # A minus in front excludes and is not part of the thing.
            return "-" * found[0].startswith("-") + _TAKEN

        self.text = pattern.sub(take_one, self.text)
        return taken

    @property
    def is_nothing_else(self) -> bool:
        return all(map(_AROUND_ONE.fullmatch, self.text.split()))


def _token(found: re.Match[str]) -> str | None:
    address = found[0] if "%" not in found[0] else unquote(found[0])
    token = _TOKEN.search(address)
    return token[1] if token else None


def _email(found: re.Match[str]) -> str | None:
    address = found[0].strip("-'.")
    is_address = not address.startswith("@") and len(address) <= _LONGEST_ADDRESS
    return fold(address) if is_address else None


def _solid(found: re.Match[str]) -> str | None:
    text = found[0]
    return text.upper() if text.isupper() or _has_digit(text) else None


def _grouped(found: re.Match[str]) -> str | None:
    text = _GAPS.sub("", found[0])
    return text.upper() if len(text) == 24 and _has_digit(text) else None


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
