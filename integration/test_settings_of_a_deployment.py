"""Invalid settings of a deployment, and settings that it must opt in to."""

from __future__ import annotations

import os
import runpy
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from testing.databases import TOP


def settings_with(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(TOP / "goodyadmin" / "settings.py"))


def test_a_short_secret_key_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is shorter than 50 characters"):
        settings_with(monkeypatch, SECRET_KEY="short")
    assert settings_with(monkeypatch, SECRET_KEY="short", DEBUG="true")["SECRET_KEY"] == "short"


def test_former_keys_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_with(monkeypatch)["SECRET_KEY_FALLBACKS"] == []
    made = settings_with(monkeypatch, SECRET_KEY_FALLBACKS="one,two")
    assert made["SECRET_KEY_FALLBACKS"] == ["one", "two"]


def test_browsers_preload_https_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.environ["HTTPS"] == "false"
    made = settings_with(monkeypatch, HTTPS="true")
    assert (made["SECURE_HSTS_SECONDS"], made["SECURE_HSTS_PRELOAD"]) == (31_536_000, False)
    assert settings_with(monkeypatch, HTTPS="true", HSTS_PRELOAD="true")["SECURE_HSTS_PRELOAD"]
