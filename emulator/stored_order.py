"""The stored values of an order, from which its JSON is rendered."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as stored: `times` in Unix seconds by reached status; `expires` None: never."""

    index: int
    batch: int
    status: str
    flags: int
    batch_flags: int
    expires: int | None
    thanked: int
    times: Mapping[str, int]
