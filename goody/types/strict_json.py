"""Strict JSON decoding.

UTF-8 only; no NaN or Infinity, no duplicate keys, no nesting deeper than 32, no integers too long
to convert.
"""

import json
from typing import Any

import msgspec

# An order nests six deep, a list of orders eight.
MAX_DEPTH = 32


class BadJSON(ValueError):
    """Not strict JSON. `is_truncated`: it would be valid JSON if it continued."""

    def __init__(self, reason: str, *, is_truncated: bool = False) -> None:
        super().__init__(reason)
        self.is_truncated = is_truncated


def loads(raw: bytes) -> Any:
    """Decode a JSON text. Raises only BadJSON."""
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except BadJSON:
        raise
    except UnicodeDecodeError:
        raise BadJSON("not UTF-8") from None
    except json.JSONDecodeError:
        raise BadJSON("not JSON", is_truncated=_is_truncated(raw)) from None
    except RecursionError:
        raise BadJSON("nested too deeply") from None
    except ValueError:
        raise BadJSON("a number is too long") from None
    if not is_within_max_depth(value):
        raise BadJSON("nested too deeply")
    return value


def loads_object(raw: bytes) -> dict[str, Any]:
    """Decode an object, which every response of Goody is. Raises like loads()."""
    value = loads(raw)
    if not isinstance(value, dict):
        raise BadJSON("not a JSON object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJSON("a key occurs twice in one object")
    return found


def _no_constant(_: str) -> Any:
    raise BadJSON("not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)


def _is_truncated(raw: bytes) -> bool:
    """Whether the text is a prefix of valid JSON, which msgspec reports and json does not."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return "truncated" in str(error)
    return False


def is_within_max_depth(value: object) -> bool:
    """Whether the value is nested no deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return True
    return False


def _children(node: object) -> list[Any]:
    members = node.values() if isinstance(node, dict) else node
    if not isinstance(node, dict | list):
        return []
    return [child for child in members if isinstance(child, dict | list)]  # type: ignore[attr-defined]
