"""Django's migrate without a statement timeout, and with a SQLite file private to its owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options.get("database") or DEFAULT_DB_ALIAS]
        if connection.vendor == "sqlite":
            protect_file(str(connection.settings_dict["NAME"]))
        else:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 0")
                cursor.execute("SET lock_timeout = '30s'")
        super().handle(*args, **options)


def protect_file(name: str) -> None:
    """Make the database file readable only for its owner; SQLite creates its log with that mode."""
    if name == ":memory:" or name.startswith("file:"):
        return
    path = Path(name)
    if path.parent.is_dir():
        path.touch(mode=0o600)
        path.chmod(0o600)
