"""The configuration of the Django app."""

from __future__ import annotations

from django.apps import AppConfig

# Registers them.
from . import checks  # noqa: F401


class OrdersConfig(AppConfig):
    name = "orders"
