"""JSON as strictly as a payment deserves it.

Beyond what the grammar asks: UTF-8 only, no NaN or Infinity, no key twice in one object, no
nesting beyond what any documented answer needs, no integer too long to convert. What the values
mean is reading.py's business.
"""

import json
from typing import Any

import msgspec

# An order nests six deep, a list of them eight. Far more is an attack on whatever recurses later.
MAX_DEPTH = 32


class BadJSON(ValueError):
    """Not the JSON we accept. `is_cut` tells that it merely ended too early."""

    def __init__(self, reason: str, *, is_cut: bool = False) -> None:
        super().__init__(reason)
        self.is_cut = is_cut


def loads(raw: bytes) -> Any:
    """The value of a JSON text. Raises BadJSON and nothing else."""
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except BadJSON:
        raise
    except UnicodeDecodeError:
        raise BadJSON("not UTF-8") from None
    except json.JSONDecodeError:
        raise BadJSON("not JSON", is_cut=_is_cut(raw)) from None
    except RecursionError:
        raise BadJSON("nested too deeply") from None
    except ValueError:
        raise BadJSON("a number is too long") from None
    if not is_shallow(value):
        raise BadJSON("nested too deeply")
    return value


def loads_object(raw: bytes) -> dict[str, Any]:
    """As loads, for the one shape every answer of Goody has."""
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


def _is_cut(raw: bytes) -> bool:
    """Whether the text is fine as far as it goes; msgspec tells that apart, json does not."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return "truncated" in str(error)
    return False


def is_shallow(value: object) -> bool:
    """No nesting beyond MAX_DEPTH."""
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
