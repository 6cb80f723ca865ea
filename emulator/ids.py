"""UUIDs that are computed from a row number and can be turned back into it.

A million orders need no table of ids: each id is its row number sent through a keyed permutation
of 122 bits, dressed as a version 4 UUID. Two numbers cannot meet in one id, and an id that was
never given out decodes to None. What the rows mean stands elsewhere.
"""

import re
from hashlib import blake2b

_HALF = 61
_MASK = (1 << _HALF) - 1
_ROUNDS = range(4)
_VARIANT_BITS = 62
_VARIANT_MASK = (1 << _VARIANT_BITS) - 1
_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(text: str) -> bool:
    """Whether the text has the form of a UUID with dashes, whoever made it."""
    return _FORM.fullmatch(text) is not None


def uuid_text(number: int) -> str:
    """128 bits as UUID text, with the version (4) and variant bits forced."""
    number = number & ~(0xF << 76) | (4 << 76)
    number = number & ~(3 << 62) | (2 << 62)
    return _dashed(number)


def _dashed(number: int) -> str:
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class IdSpace:
    """One family of ids (orders, batches), separated from the others by its key."""

    def __init__(self, *, seed: int, name: str) -> None:
        key = f"{name}:{seed}".encode()[:64]
        self._rounds = [blake2b(bytes([n]), key=key, digest_size=8) for n in _ROUNDS]

    def encode(self, number: int) -> str:
        """The id of a row number (0 or more, below 2**61)."""
        left, right = 0, number
        for n in _ROUNDS:
            left, right = right, left ^ self._mix(n, right)
        mixed = left << _HALF | right
        top = (mixed >> 74) << 80 | 4 << 76 | (mixed >> _VARIANT_BITS & 0xFFF) << 64
        return _dashed(top | 2 << _VARIANT_BITS | mixed & _VARIANT_MASK)

    def decode(self, text: str) -> int | None:
        """The row number of an id of this family; None for any other text."""
        if not is_uuid(text):
            return None
        mixed = _undress(int(text.replace("-", ""), 16))
        if mixed is None:
            return None
        left, right = mixed >> _HALF, mixed & _MASK
        for n in reversed(_ROUNDS):
            left, right = right ^ self._mix(n, left), left
        return right if left == 0 else None

    def _mix(self, n: int, half: int) -> int:
        state = self._rounds[n].copy()
        state.update(half.to_bytes(8, "big"))
        return int.from_bytes(state.digest(), "big") & _MASK


def _undress(number: int) -> int | None:
    """The 122 free bits of a version 4 UUID; None where version or variant differ."""
    if number >> 76 & 0xF != 4 or number >> _VARIANT_BITS & 3 != 2:
        return None
    return (number >> 80) << 74 | (number >> 64 & 0xFFF) << _VARIANT_BITS | number & _VARIANT_MASK
