"""UUIDs that encode row numbers.

An id is its row number under a keyed permutation of 122 bits, in the form of a version 4 UUID. So
a million orders need no table of ids, two rows never share an id, and other ids decode to None.
"""

import re
from hashlib import blake2b

_HALF = 61
_MASK = (1 << _HALF) - 1
_ROUNDS = range(4)
_VARIANT_BITS = 62
_VARIANT_MASK = (1 << _VARIANT_BITS) - 1
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Whether the text has the form of a UUID with dashes."""
    return _UUID.fullmatch(text) is not None


def uuid_text(number: int) -> str:
    """Return the UUID of a 128-bit number, with the version (4) and variant bits set."""
    number = number & ~(0xF << 76) | (4 << 76)
    number = number & ~(3 << 62) | (2 << 62)
    return _with_dashes(number)


def _with_dashes(number: int) -> str:
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class IdCodec:
    """The ids of one kind of object (orders, batches) of one seed: a four-round Feistel cipher."""

    def __init__(self, *, seed: int, name: str) -> None:
        key = f"{name}:{seed}".encode()[:64]
        self._rounds = [blake2b(bytes([n]), key=key, digest_size=8) for n in _ROUNDS]

    def encode(self, number: int) -> str:
        """Return the id of a row number (at least 0 and below 2**61)."""
        left, right = 0, number
        for n in _ROUNDS:
            left, right = right, left ^ self._round(n, right)
        bits = left << _HALF | right
        top = (bits >> 74) << 80 | 4 << 76 | (bits >> _VARIANT_BITS & 0xFFF) << 64
        return _with_dashes(top | 2 << _VARIANT_BITS | bits & _VARIANT_MASK)

    def decode(self, text: str) -> int | None:
        """Return the row number of an id; None for any other text."""
        if not is_uuid(text):
            return None
        bits = _free_bits(int(text.replace("-", ""), 16))
        if bits is None:
            return None
        left, right = bits >> _HALF, bits & _MASK
        for n in reversed(_ROUNDS):
            left, right = right ^ self._round(n, left), left
        return right if left == 0 else None

    def _round(self, n: int, half: int) -> int:
        state = self._rounds[n].copy()
        state.update(half.to_bytes(8, "big"))
        return int.from_bytes(state.digest(), "big") & _MASK


def _free_bits(number: int) -> int | None:
    """Return the bits of a version 4 UUID besides version and variant; None for another UUID."""
    if number >> 76 & 0xF != 4 or number >> _VARIANT_BITS & 3 != 2:
        return None
    return (number >> 80) << 74 | (number >> 64 & 0xFFF) << _VARIANT_BITS | number & _VARIANT_MASK
