"""Splits a page into rows by brackets, quotes and commas.

It is used for pages that are not valid JSON as a whole, so that a fault in one row does not affect
the others. The envelope must be valid. The rows are not parsed.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from goody.types.strict_json import BadJSON, loads_object

# Possessive quantifiers never backtrack, so that the time is linear in the length.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]++|[\]}]++|[,"]', re.DOTALL)
_OBJECT = re.compile(rb"[ \t\r\n]*+\{")
_ROWS = re.compile(rb'[ \t\r\n]*+"data"[ \t\r\n]*+:[ \t\r\n]*+\[')
_MEMBER = re.compile(rb'[ \t\r\n]*+"(\w++)"[ \t\r\n]*+:[ \t\r\n]*+(.*)', re.DOTALL)
_UUID = re.compile(rb'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"', re.IGNORECASE)


class JsonElements(NamedTuple):
    """The contents of brackets, from `start` to `end`, and the positions of their commas."""

    start: int
    end: int
    commas: list[int]

    def element_texts(self, raw: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (position, text) of each element."""
        edges = [self.start - 1, *self.commas, self.end]
        for before, after in pairwise(edges):
            yield before + 1, raw[before + 1 : after]


def split_rows(raw: bytes) -> tuple[list[bytes], dict[str, Any]]:
    """Return the texts of the rows, and the parsed envelope with an empty `data`.

    Raises BadJSON if the envelope is not strict JSON, is truncated or has no list `data`.
    """
    rows = _find_rows(raw)
    envelope = loads_object(raw[: rows.start] + raw[rows.end :])
    texts = [text.strip(b" \t\r\n") for _, text in rows.element_texts(raw)]
    if texts == [b""]:
        return [], envelope
    # An empty element is a fault of the list, not of a row.
    if b"" in texts:
        raise BadJSON("not JSON")
    return texts, envelope


def find_member_text(row: bytes, name: bytes) -> bytes | None:
    """Return the text of a member of an object, maybe invalid JSON; None unless it is unique."""
    opening = _OBJECT.match(row)
    if opening is None:
        return None
    try:
        elements = _elements(row, opening.end())
    except BadJSON:
        return None
    members = (_MEMBER.fullmatch(text) for _, text in elements.element_texts(row))
    found = [member[2].rstrip(b" \t\r\n") for member in members if member and member[1] == name]
    return found[0] if len(found) == 1 else None


def find_row_id(row: bytes) -> UUID | None:
    """Return the id of a row that may be invalid JSON; None unless it is unique and a UUID."""
    value = _UUID.fullmatch(find_member_text(row, b"id") or b"")
    return UUID(value[1].decode()) if value else None


def _find_rows(raw: bytes) -> JsonElements:
    opening = _OBJECT.match(raw)
    if opening is None:
        raise BadJSON("not a list of rows")
    for position, text in _elements(raw, opening.end()).element_texts(raw):
        if match := _ROWS.match(text):
            return _elements(raw, position + match.end())
    raise BadJSON("not a list of rows")


def _elements(raw: bytes, start: int) -> JsonElements:
    """Return the elements after the bracket before `start`. Raises BadJSON if it is not closed."""
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
                return JsonElements(start, match.start() + depth, commas)
            depth -= len(match[0])
        elif len(match[0]) == 1:
            break  # a quote of a string that does not end
    raise BadJSON("not JSON", is_truncated=True)


_COMMA = ord(",")
_OPENING = b"[{"
_CLOSING = b"]}"
