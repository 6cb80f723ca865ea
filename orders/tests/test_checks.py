"""The system check of databases with slow searches for names in some scripts."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.core.checks import run_checks
from django.db import connection

from testing import databases


@pytest.fixture
def without_letters(database_url: str) -> Iterator[None]:
    """Use a default connection to a database whose ctype is C."""
    server, name = database_url.rpartition("/")[0], f"plain_{uuid4().hex[:8]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as administrator:
        administrator.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_CTYPE 'C' LC_COLLATE 'C'"
        )
        databases.use_database(f"{server}/{name}")
        yield
        databases.use_database(database_url)
        administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


def warnings() -> list[str]:
    return [str(one.id) for one in run_checks(databases=["default"])]


@pytest.mark.django_db
def test_database_with_all_trigrams_passes_the_check() -> None:
    assert warnings() == []


@pytest.mark.postgresql_only(reason="SQLite makes trigrams of any text")
@pytest.mark.usefixtures("without_letters")
def test_database_without_trigrams_fails_the_check() -> None:
    assert warnings() == []  # No warning before the migrations.
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_trgm")
    assert warnings() == ["orders.W001"]
