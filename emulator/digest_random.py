"""Deterministic pseudo-random values from digests."""

from hashlib import blake2b
from string import ascii_letters, ascii_uppercase, digits
from struct import Struct

from emulator.ids import uuid_text

_NUMBERS = Struct(">31H")


def digest_of_parts(*parts: object) -> bytes:
    """Return 64 bytes that depend on the parts alone."""
    return blake2b(":".join(map(str, parts)).encode()).digest()


def derive_uuid(*parts: object) -> str:
    """Return a version 4 UUID that depends on the parts alone."""
    return uuid_text(int.from_bytes(digest_of_parts(*parts)[:16], "big"))


def _table(characters: str) -> bytes:
    return bytes(ord(characters[n % len(characters)]) for n in range(256))


_RECEIPT = _table(ascii_uppercase + digits)
_TOKEN = _table(ascii_letters + digits)


def uppercase_token(data: bytes) -> str:
    """Return a capital letter or digit for each byte."""
    return data.translate(_RECEIPT).decode()


def alphanumeric_token(data: bytes) -> str:
    """Return a letter or digit for each byte."""
    return data.translate(_TOKEN).decode()


class DigestRandom:
    """A sequence of numbers from a digest; after 31 numbers it repeats."""

    __slots__ = ("_next", "_numbers", "digest")

    def __init__(self, *parts: object) -> None:
        self.digest = digest_of_parts(*parts)
        self._numbers: tuple[int, ...] = _NUMBERS.unpack_from(self.digest)
        self._next = 0

    def randbelow(self, limit: int) -> int:
        """Return a number at least 0 and below `limit`, which is at most 65,536."""
        self._next = (self._next + 1) % 31
        return self._numbers[self._next] % limit
