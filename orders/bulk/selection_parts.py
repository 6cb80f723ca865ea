"""Encodes a part of a selection, such as one group of a preview, for the URL parameter `part`.

The text is a compressed bit set of the positions of its orders in the selection, counted from 0.
"""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

# A selection of any size within reason; more is no text of ours.
_MAX_BYTES = 100_000
_NO_PART = "not a part of a selection"


def encode_positions(positions: Iterable[int]) -> str:
    """Return the positions as text: 850 characters for a random half of 5,000 orders."""
    bits = sum(1 << one for one in set(positions))
    packed = zlib.compress(bits.to_bytes((bits.bit_length() + 7) // 8 or 1, "little"), 9)
    return urlsafe_b64encode(packed).decode().rstrip("=")


def decode_positions(text: str) -> list[int]:
    """Return the encoded positions, ascending. Raises ValueError if the text is invalid."""
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
