"""The deadline of a search, enforced by the database, and reads from one snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg.errors
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

SEARCH_SECONDS = 1.0
# Virtual machine instructions between two calls of SQLite's progress handler: some microseconds.
_INSTRUCTIONS = 2000

# To be executed before the first read. A transaction of SQLite reads from a snapshot by itself.
_REPEATABLE_READ = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
# All pages are in memory, and compiling a statement takes longer than executing it.
_SETTINGS = (
    "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true),"
    " set_config('jit', 'off', true), set_config('random_page_cost', '1.1', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)


class SearchTimeout(Exception):
    """The search exceeded its deadline and returned nothing."""


class SearchDeadline:
    """The statements of one search, which the database cancels at the deadline."""

    def __init__(self, seconds: float) -> None:
        self.vendor: str = connection.vendor
        # Read once a search: see labels.py.
        self.labels: Any = None
        self._until = time.monotonic() + seconds
        self._timeout = seconds

    @property
    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def fetch_rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement and return all rows. Raises SearchTimeout."""
        with connection.cursor() as cursor, self._limited(cursor):
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def fetch_all[T](self, queryset: QuerySet[Any, T]) -> list[T]:
        """Return all rows of a queryset. Raises SearchTimeout."""
        with connection.cursor() as cursor, self._limited(cursor):
            return list(queryset)

    @contextmanager
    def _limited(self, cursor: Any) -> Iterator[None]:
        self._set_timeout(cursor)
        try:
            yield
        except OperationalError as error:
            if self._is_timeout(error):
                raise SearchTimeout from error
            raise

    def _set_timeout(self, cursor: Any) -> None:
        left = self.seconds_left
        if left <= 0:
            raise SearchTimeout
        # Setting it costs a round trip, which the first tenth of the time is not worth.
        if self.vendor == "postgresql" and left < self._timeout * 0.9:
            cursor.execute(f"SET LOCAL statement_timeout = {_milliseconds(left)}")
            self._timeout = left

    def _is_timeout(self, error: OperationalError) -> bool:
        if self.vendor == "postgresql":
            return isinstance(error.__cause__, psycopg.errors.QueryCanceled)
        return str(error) == "interrupted"


@contextmanager
def time_limit(seconds: float) -> Iterator[SearchDeadline]:
    """Run the statements of the block with one deadline and on one snapshot."""
    connection.ensure_connection()
    limited = _sqlite if connection.vendor == "sqlite" else _postgresql
    with limited(seconds) as deadline:
        yield deadline


@contextmanager
def _sqlite(seconds: float) -> Iterator[SearchDeadline]:
    deadline = SearchDeadline(seconds)
    handle = connection.connection
    handle.set_progress_handler(lambda: deadline.seconds_left <= 0, _INSTRUCTIONS)
    try:
        with read_snapshot():
            yield deadline
    finally:
        handle.set_progress_handler(None, 0)


@contextmanager
def _postgresql(seconds: float) -> Iterator[SearchDeadline]:
    is_inner = _is_in_transaction()
    with transaction.atomic(), connection.cursor() as cursor:
        if is_inner:
            cursor.execute(_SETTINGS, [str(_milliseconds(seconds))])
        else:
            # Both in one round trip.
            cursor.execute(f"{_REPEATABLE_READ}; {_SETTINGS}", [str(_milliseconds(seconds))])
            cursor.nextset()
        before = cursor.fetchone()[0]
        yield SearchDeadline(seconds)
        if is_inner:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


@contextmanager
def read_snapshot() -> Iterator[None]:
    """Run the statements of the block on one snapshot of the database.

    The block must not write. An order's key changes when a more exact creation time becomes known:
    between two statements an order could vanish from a list, or appear in it twice. Inside a
    transaction this does nothing.
    """
    connection.ensure_connection()
    if _is_in_transaction():
        yield
    elif connection.vendor == "sqlite":
        with _read_transaction(connection.connection):
            yield
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_REPEATABLE_READ)
            yield


def _is_in_transaction() -> bool:
    has_begun = connection.vendor == "sqlite" and connection.connection.in_transaction
    return bool(connection.in_atomic_block or has_begun)


@contextmanager
def _read_transaction(handle: Any) -> Iterator[None]:
    """Begin a read transaction.

    `transaction.atomic` would take SQLite's write lock (BEGIN IMMEDIATE).
    """
    handle.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        if handle.in_transaction:
            handle.execute("ROLLBACK")
