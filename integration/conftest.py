"""Fixtures of the tests of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from testing.domain import forget_goody
from testing.walkthroughs import LONG_LIMITS


@pytest.fixture
def patient(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that do not run out unless a test shortens them, and a client without a past."""
    for name, seconds in LONG_LIMITS.items():
        setattr(settings, name, float(seconds))
    forget_goody(settings, monkeypatch)
