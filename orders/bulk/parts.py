"""A part of a selection as a short text for URLs: the positions of its orders, compressed."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

# A selection of any size within reason; more is no text of ours.
_MAX_BYTES = 100_000
_NO_PART = "not a part of a selection"


def pack_part(positions: Iterable[int]) -> str:
    """Return the text of these positions, counted from 0. 5,000 random bits take 850 letters."""
    bits = sum(1 << one for one in set(positions))
    packed = zlib.compress(bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little"), 9)
    return urlsafe_b64encode(packed).decode().rstrip("=")


def unpack_part(text: str) -> list[int]:
    """Return the positions in ascending order. Raises ValueError for another text."""
    try:
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, _MAX_BYTES)
    except (zlib.error, ValueError) as error:
        raise ValueError(_NO_PART) from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError(_NO_PART)
    return [
        8 * at + bit for at, byte in enumerate(data) if byte for bit in range(8) if byte >> bit & 1
    ]
