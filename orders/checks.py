"""Database checks for `manage.py check --database default`, and so for each `migrate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import WARNING, CheckMessage, Tags, register
from django.db import connections

from . import schema


@register(Tags.database)
def check_trigram_support(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    return [
        CheckMessage(
            WARNING,
            f"The PostgreSQL database {alias!r} makes no trigrams of Chinese, Japanese or Korean"
            " text: names in these scripts are found, but slowly.",
            hint="Make a database whose LC_CTYPE knows their letters, for example with"
            " CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'.",
            id="orders.W001",
        )
        for alias in databases or ()
        if not schema.supports_all_scripts(connections[alias])
    ]
