"""Fast parsing of orders without any fault, which nearly all are.

A text that encodes back to the same bytes has no duplicate keys, unusual numbers or escapes. If it
also has the documented types, the result equals that of parsing.py, as a property test checks. All
other orders are left to parsing.py.
"""

import re

import msgspec

from goody.types.order import MAX_STATUS, CartSelection, Order, Shipment
from goody.types.strict_json import is_within_max_depth

# Escapes other than \n, \t, \" and \\; times with fractions or offsets; ids without dashes. As one
# pattern they would take ten times as long.
_UNUSUAL_ESCAPE = re.compile(rb"\\[^nt\"\\]")
_UNUSUAL_TIME = re.compile(rb":\d\d(?:\.\d|[+-])")
_UNUSUAL_UUID = re.compile(rb'"[0-9a-fA-F]{32}"')
_MAX_BYTES = 20_000
_OURS = ("raw", "problems", "unknown_fields")
_LISTS = {
    "cart_selections": tuple[CartSelection, ...] | None,
    "shipments": tuple[Shipment, ...] | None,
}

_DocumentedOrder = msgspec.defstruct(
    "_DocumentedOrder",
    [
        (one.name, _LISTS.get(one.name, one.type))
        if one.required
        else (one.name, _LISTS.get(one.name, one.type), one.default)
        for one in msgspec.structs.fields(Order)
        if one.name not in _OURS
    ],
    frozen=True,
    kw_only=True,
)
_KNOWN = frozenset(_DocumentedOrder.__struct_fields__)
_decode_documented = msgspec.json.Decoder(_DocumentedOrder).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def parse_order_fast(raw: bytes) -> Order | None:
    """Parse an order that is exactly as documented; None for any other text."""
    if len(raw) > _MAX_BYTES or _is_unusual(raw):
        return None
    try:
        loose = _decode(raw)
        if _encode(loose) != raw:
            return None
        values = msgspec.structs.asdict(_decode_documented(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    unknown = frozenset() if _KNOWN.issuperset(loose) else frozenset(loose.keys() - _KNOWN)
    # Only unknown fields can be nested too deeply: the parts of an order allow none.
    if unknown and not all(is_within_max_depth(loose[name]) for name in unknown):
        return None
    if not 0 < len(values["status"]) <= MAX_STATUS:
        return None
    for name in _LISTS:
        values[name] = values[name] or ()
    return Order(raw=raw, unknown_fields=unknown, **values)


def _is_unusual(raw: bytes) -> bool:
    is_escape_odd = b"\\" in raw and _UNUSUAL_ESCAPE.search(raw)
    return bool(is_escape_odd or _UNUSUAL_TIME.search(raw) or _UNUSUAL_UUID.search(raw))
