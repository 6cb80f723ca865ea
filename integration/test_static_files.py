"""The script's modules and the style sheets, collected as for production."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.conf import settings as project_settings
from django.core.management import call_command

from goodyadmin.storage import strip_comments_and_indentation

_MODULES = Path(project_settings.BASE_DIR) / "static" / "js"
_IMPORTED = re.compile(r"""^import[^;]*?["']\./([\w.-]+)["'];$""", re.MULTILINE)
_OF_SOME_PAGES = ("jobs.js", "selecting.js", "time_zone.js")
_NAMED_BY_PAGES = ("app.js", *_OF_SOME_PAGES)
_MOST_LINES = 200
# Of modules as they are served to browsers, compressed by brotli: of all that every page loads, and
# of one that only some pages load.
_MOST_BYTES = 12_000
_MOST_BYTES_OF_SOME_PAGES = 600


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
    assert not any("/*" in (tmp_path / "js" / path).read_text() for path in hashed)
    imported = {
        name for path in hashed for name in _IMPORTED.findall((tmp_path / "js" / path).read_text())
    }
    named_by_pages = {paths[f"js/{name}"].removeprefix("js/") for name in _NAMED_BY_PAGES}
    assert imported == hashed - named_by_pages


def test_the_script_is_small() -> None:
    modules = {path.name: path.read_text() for path in _MODULES.glob("*.js")}
    assert max(module.count("\n") for module in modules.values()) < _MOST_LINES
    sizes = {
        name: len(brotli.compress(strip_comments_and_indentation(module).encode()))
        for name, module in modules.items()
    }
    assert max(sizes.pop(name) for name in _OF_SOME_PAGES) < _MOST_BYTES_OF_SOME_PAGES
    assert sum(sizes.values()) < _MOST_BYTES


@pytest.mark.parametrize(
    ("written", "served"),
    [
        ("/* One.\n * Two. */\n\nlet a = 1;\n", "\nlet a = 1;\n"),
        ("if (a) {\n  // Why.\n  b();\n}\n", "if (a) {\nb();\n}\n"),
        ('follow("//example.com/*"); // kept\n', 'follow("//example.com/*"); // kept\n'),
    ],
)
def test_comments_are_not_served(written: str, served: str) -> None:
    assert strip_comments_and_indentation(written) == served
