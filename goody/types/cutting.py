"""Takes a page of rows apart by brackets, quotes and commas alone.

For pages that are not the JSON a parser takes as a whole: what is wrong inside one row stays
inside that row. The envelope around the rows gets no such patience. What a row means, or whether
it is JSON at all, is not asked here.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from goody.types.strict import BadJSON, loads_object

# Possessive, so that no text makes the search go back: twice the length costs twice the time.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]++|[\]}]++|[,"]', re.DOTALL)
_OBJECT = re.compile(rb"[ \t\r\n]*+\{")
_ROWS = re.compile(rb'[ \t\r\n]*+"data"[ \t\r\n]*+:[ \t\r\n]*+\[')
_MEMBER = re.compile(rb'[ \t\r\n]*+"(\w++)"[ \t\r\n]*+:[ \t\r\n]*+(.*)', re.DOTALL)
_UUID = re.compile(rb'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"', re.IGNORECASE)


class Pieces(NamedTuple):
    """What stands between a bracket and its match: from `start` to `end`, cut at its commas."""

    start: int
    end: int
    commas: list[int]

    def texts(self, raw: bytes) -> Iterator[tuple[int, bytes]]:
        """Each piece with its place in `raw`."""
        edges = [self.start - 1, *self.commas, self.end]
        for before, after in pairwise(edges):
            yield before + 1, raw[before + 1 : after]


def cut_page(raw: bytes) -> tuple[list[bytes], dict[str, Any]]:
    """The texts of a page's rows, and the parsed envelope with `data` emptied.

    Raises BadJSON when the envelope is not strict JSON, ends too early or has no list `data`.
    """
    rows = _find_rows(raw)
    envelope = loads_object(raw[: rows.start] + raw[rows.end :])
    texts = [text.strip(b" \t\r\n") for _, text in rows.texts(raw)]
    if texts == [b""]:
        return [], envelope
    # A comma without a row on each side belongs to the list, not to a row.
    if b"" in texts:
        raise BadJSON("not JSON")
    return texts, envelope


def find_member(row: bytes, name: bytes) -> bytes | None:
    """The text of one member of an object that need not be JSON, if exactly one has that name."""
    opening = _OBJECT.match(row)
    if opening is None:
        return None
    try:
        pieces = _pieces(row, opening.end())
    except BadJSON:
        return None
    members = (_MEMBER.fullmatch(text) for _, text in pieces.texts(row))
    found = [member[2].rstrip(b" \t\r\n") for member in members if member and member[1] == name]
    return found[0] if len(found) == 1 else None


def find_id(row: bytes) -> UUID | None:
    """The id in a row that need not be JSON, if it has exactly one and that is a UUID."""
    value = _UUID.fullmatch(find_member(row, b"id") or b"")
    return UUID(value[1].decode()) if value else None


def _find_rows(raw: bytes) -> Pieces:
    opening = _OBJECT.match(raw)
    if opening is None:
        raise BadJSON("not a list of rows")
    for place, text in _pieces(raw, opening.end()).texts(raw):
        if match := _ROWS.match(text):
            return _pieces(raw, place + match.end())
    raise BadJSON("not a list of rows")


def _pieces(raw: bytes, start: int) -> Pieces:
    """The pieces between the bracket before `start` and its match. Raises BadJSON without one."""
    depth = 0
    commas = []
    for match in _TOKEN.finditer(raw, start):
        kind = raw[match.start()]
        if kind == _COMMA:
            if not depth:
                commas.append(match.start())
        elif kind in _OPENING:
            depth += len(match[0])
        elif kind in _CLOSING:
            if len(match[0]) > depth:
                return Pieces(start, match.start() + depth, commas)
            depth -= len(match[0])
        elif len(match[0]) == 1:
            break  # a quote that opens a string without end
    raise BadJSON("not JSON", is_cut=True)


_COMMA = ord(",")
_OPENING = b"[{"
_CLOSING = b"]}"
