"""The app of the peers, and the router of its database."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class PeersConfig(AppConfig):
    name = "bench.changelist"
    label = "peers"


class PeersRouter:
    """Routes the peers' tables to a database of their own, all other tables to the default."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return "peers" if model._meta.app_label == "peers" else None

    db_for_write = db_for_read

    def allow_migrate(self, _: str, app_label: str, **__: Any) -> bool | None:
        return False if app_label == "peers" else None
