"""The quick way to read an order that needs no forgiveness, which is nearly every one.

A text that encodes back to its own bytes has no key twice, no odd number, no odd escape; if it
then also fits the documented types, reading.py would find nothing to mend in it. Whatever is not
as plain as that is left to reading.py, whose result this must equal (a property test holds it).
"""

import re

import msgspec

from goody.types.order import MAX_STATUS, CartSelection, Order, Shipment
from goody.types.strict import is_shallow

# Escapes other than \n, \t, \" and \\; times with fractions or offsets; ids without dashes: to be
# looked at more closely. Apart, since as one pattern they take ten times as long.
_ODD_ESCAPE = re.compile(rb"\\[^nt\"\\]")
_ODD_TIME = re.compile(rb":\d\d(?:\.\d|[+-])")
_ODD_UUID = re.compile(rb'"[0-9a-fA-F]{32}"')
_MAX_BYTES = 20_000
_OURS = ("raw", "problems", "unknown_fields")
_LISTS = {
    "cart_selections": tuple[CartSelection, ...] | None,
    "shipments": tuple[Shipment, ...] | None,
}

_PlainOrder = msgspec.defstruct(
    "_PlainOrder",
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
_KNOWN = frozenset(_PlainOrder.__struct_fields__)
_decode_plain = msgspec.json.Decoder(_PlainOrder).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read_plainly(raw: bytes) -> Order | None:
    """The order in a JSON object that is in every way as documented, else None."""
    if len(raw) > _MAX_BYTES or _is_odd(raw):
        return None
    try:
        loose = _decode(raw)
        if _encode(loose) != raw:
            return None
        values = msgspec.structs.asdict(_decode_plain(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    unknown = frozenset() if _KNOWN.issuperset(loose) else frozenset(loose.keys() - _KNOWN)
    # The parts of an order take no unknown fields, so only these can be nested without end.
    if unknown and not all(is_shallow(loose[name]) for name in unknown):
        return None
    if not 0 < len(values["status"]) <= MAX_STATUS:
        return None
    for name in _LISTS:
        values[name] = values[name] or ()
    return Order(raw=raw, unknown_fields=unknown, **values)


def _is_odd(raw: bytes) -> bool:
    is_escape_odd = b"\\" in raw and _ODD_ESCAPE.search(raw)
    return bool(is_escape_odd or _ODD_TIME.search(raw) or _ODD_UUID.search(raw))
