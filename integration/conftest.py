"""Fixtures of the whole-system tests."""

from __future__ import annotations

from typing import Any

import pytest

from testing.domain import reset_goody_client
from testing.walkthroughs import LONG_LIMITS


@pytest.fixture
def patient(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use long limits, which a test may shorten, and a client without earlier failures."""
    for name, seconds in LONG_LIMITS.items():
        setattr(settings, name, float(seconds))
    reset_goody_client(settings, monkeypatch)
