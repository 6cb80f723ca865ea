"""The ledger: an entry for every write that reached the store, refused ones included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator.messages import Json
from emulator.rules import ApiError


class WriteLedger:
    """The entries of all writes, oldest first.

    It is not thread-safe: the store's lock is held around every use.
    """

    def __init__(self) -> None:
        self.entries: list[Json] = []

    @contextmanager
    def record_write(
        self, *, at: str, order_id: str, kind: str, summarize: Callable[[], Json]
    ) -> Iterator[Json]:
        """Add an entry with the order's summary before and after the write.

        The caller sets `applied`. `answered` is the status of the answer; a fault that replaces the
        answer stores its kind there later.
        """
        entry: Json = {
            "at": at,
            "order_id": order_id,
            "kind": kind,
            "before": summarize(),
            "after": None,
            "applied": False,
            "answered": "200",
        }
        self.entries.append(entry)
        try:
            yield entry
        except ApiError as error:
            entry["answered"] = str(error.status)
            error.entry = entry
            raise
        finally:
            entry["after"] = summarize()
