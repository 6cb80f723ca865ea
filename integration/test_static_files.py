"""The script's modules and the style sheets, collected as for production."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.management import call_command

_MODULES = Path(project_settings.BASE_DIR) / "static" / "js"
_IMPORTED = re.compile(r"""^import[^;]*?["']\./([\w.-]+)["'];$""", re.MULTILINE)
_MOST_LINES = 200
_MOST_BYTES = 12_000


@pytest.mark.parametrize("storage", ["StaticStorage", "UncompressedStaticStorage"])
def test_modules_import_each_other_by_hashed_names(
    settings: Any, tmp_path: Path, storage: str
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": f"goodyadmin.storage.{storage}"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    paths = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    hashed = {path.removeprefix("js/") for name, path in paths.items() if name.startswith("js/")}
    assert len(hashed) == len(list(_MODULES.glob("*.js")))
    imported = {
        name for path in hashed for name in _IMPORTED.findall((tmp_path / "js" / path).read_text())
    }
    assert imported == hashed - {paths["js/app.js"].removeprefix("js/")}


def test_the_script_is_small() -> None:
    modules = [path.read_bytes() for path in _MODULES.glob("*.js")]
    assert max(module.count(b"\n") for module in modules) < _MOST_LINES
    assert sum(len(gzip.compress(module)) for module in modules) < _MOST_BYTES
