"""Transactions that do not wait for the disk, and a connection that writes much."""

from __future__ import annotations

import pytest
from django.db import connection

from orders.models import OrderCount
from orders.models.durability import non_durable_transaction, tune_for_bulk_writes

pytestmark = pytest.mark.django_db(transaction=True)

_PRAGMAS = ("wal_autocheckpoint", "cache_size")


def _count(n: int) -> None:
    OrderCount.objects.create(workspace_id=n, status="created", n=n)


def _count_and_fail() -> None:
    with non_durable_transaction():
        _count(1)
        with non_durable_transaction():
            _count(2)
            raise ValueError("half")


def test_inner_failure_rolls_back_the_outer_transaction() -> None:
    with pytest.raises(ValueError, match="half"):
        _count_and_fail()
    assert not OrderCount.objects.exists()


def test_caught_inner_failure_keeps_no_changes() -> None:
    with non_durable_transaction():
        _count(1)
        with pytest.raises(ValueError, match="half"), non_durable_transaction():
            raise ValueError("half")
    assert not OrderCount.objects.exists()


def test_inner_and_outer_changes_are_committed() -> None:
    with non_durable_transaction():
        _count(1)
        with non_durable_transaction():
            _count(2)
    assert OrderCount.objects.count() == 2


@pytest.mark.sqlite_only(reason="PRAGMAs are SQLite's")
def test_bulk_write_settings_are_restored() -> None:
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
