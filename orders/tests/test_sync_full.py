"""The full sync against the real emulator: every order once, whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from orders.models import SyncWindow
from testing.vendor import Emulator

from .syncing import SMALL, assert_counts_add_up, differences, state, sync_orders, undone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(settings: Any) -> None:
    for name, value in SMALL.items():
        setattr(settings, name, value)


def test_every_order_is_stored_once(emulator: Emulator) -> None:
    counts = sync_orders()
    assert counts == {"new": 300}
    assert differences(emulator) == []
    assert_counts_add_up()
    assert state().is_complete
    assert undone() == 0
    assert SyncWindow.objects.count() >= 8
