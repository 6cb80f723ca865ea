"""Transactions that do not wait for the disk, and a connection that writes much."""

from __future__ import annotations

import pytest
from django.db import connection

from orders.models import OrderCount
from orders.models.durability import rebuildable_transaction, tune_for_bulk_writes

pytestmark = pytest.mark.django_db(transaction=True)

_PRAGMAS = ("wal_autocheckpoint", "cache_size")


def _count(n: int) -> None:
    OrderCount.objects.create(workspace_id=n, status="created", n=n)


def _count_and_fail() -> None:
    with rebuildable_transaction():
        _count(1)
        with rebuildable_transaction():
            _count(2)
            raise ValueError("half")


def test_what_fails_inside_fails_the_whole() -> None:
    with pytest.raises(ValueError, match="half"):
        _count_and_fail()
    assert not OrderCount.objects.exists()


def test_who_goes_on_after_a_part_that_failed_keeps_nothing() -> None:
    with rebuildable_transaction():
        _count(1)
        with pytest.raises(ValueError, match="half"), rebuildable_transaction():
            raise ValueError("half")
    assert not OrderCount.objects.exists()


def test_both_are_kept_where_nothing_fails() -> None:
    with rebuildable_transaction():
        _count(1)
        with rebuildable_transaction():
            _count(2)
    assert OrderCount.objects.count() == 2


@pytest.mark.sqlite_only(reason="PRAGMAs are SQLite's")
def test_much_writing_leaves_the_connection_as_it_was() -> None:
    before = _settings()
    tune_for_bulk_writes()
    assert set(_settings().items()).isdisjoint(before.items())
    tune_for_bulk_writes(is_over=True)
    assert _settings() == before


def _settings() -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for name in _PRAGMAS:
            cursor.execute(f"PRAGMA {name}")
            found[name] = cursor.fetchone()[0]
    return found
