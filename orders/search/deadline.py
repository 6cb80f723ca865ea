"""How long a search may take, and that it ends then: one second, in either database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg.errors
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.db.models import QuerySet

from .snapshot import REPEATABLE, is_within_transaction, snapshot

SECONDS = 1.0
# SQLite asks after so many steps of its machine, some microseconds.
_STEPS = 2000


class SearchTimeout(Exception):
    """Finding out takes longer than a search may: nothing is known about how many there are."""


class Deadline:
    """The way to the database for one search; each statement gets what is left of the time."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self.connection = connection
        self.vendor: str = connection.vendor
        # What a search reads once, whatever it asks (see labels.py).
        self.labels: Any = None
        self._until = time.monotonic() + seconds
        self._granted = seconds

    @property
    def left(self) -> float:
        return self._until - time.monotonic()

    def rows(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of the answer. Raises SearchTimeout."""
        with self.connection.cursor() as cursor, self._limited(cursor):
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def all[T](self, asked: QuerySet[Any, T]) -> list[T]:
        """All rows that Django's own query gives. Raises SearchTimeout."""
        with self.connection.cursor() as cursor, self._limited(cursor):
            return list(asked.using(self.connection.alias))

    @contextmanager
    def _limited(self, cursor: Any) -> Iterator[None]:
        self._grant(cursor)
        try:
            yield
        except OperationalError as error:
            if self._is_late(error):
                raise SearchTimeout from error
            raise

    def _grant(self, cursor: Any) -> None:
        left = self.left
        if left <= 0:
            raise SearchTimeout
        # A tenth more for the last statement is not worth asking before each.
        if self.vendor == "postgresql" and left < self._granted * 0.9:
            cursor.execute(f"SET LOCAL statement_timeout = {_milliseconds(left)}")
            self._granted = left

    def _is_late(self, error: OperationalError) -> bool:
        if self.vendor == "postgresql":
            return isinstance(error.__cause__, psycopg.errors.QueryCanceled)
        return str(error) == "interrupted"


@contextmanager
def deadline(seconds: float, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[Deadline]:
    """Everything asked within ends after `seconds`, with SearchTimeout, and is of one moment."""
    connection = connections[using]
    connection.ensure_connection()
    limited = _sqlite if connection.vendor == "sqlite" else _postgresql
    with limited(connection, seconds) as given:
        yield given


@contextmanager
def _sqlite(connection: Any, seconds: float) -> Iterator[Deadline]:
    given = Deadline(connection, seconds)
    handle = connection.connection
    handle.set_progress_handler(lambda: given.left <= 0, _STEPS)
    try:
        with snapshot(using=connection.alias):
            yield given
    finally:
        handle.set_progress_handler(None, 0)


# What the planner must know: pages are in memory, and compiling takes longer than the answer.
_SETTINGS = (
    "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true),"
    " set_config('jit', 'off', true), set_config('random_page_cost', '1.1', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)


@contextmanager
def _postgresql(connection: Any, seconds: float) -> Iterator[Deadline]:
    is_inner = is_within_transaction(connection)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if is_inner:
            cursor.execute(_SETTINGS, [str(_milliseconds(seconds))])
        else:
            # Both on one way to the database.
            cursor.execute(f"{REPEATABLE}; {_SETTINGS}", [str(_milliseconds(seconds))])
            cursor.nextset()
        before = cursor.fetchone()[0]
        yield Deadline(connection, seconds)
        if is_inner:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
