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

from goodyadmin.script_bundle import bundle_modules, strip_comments_and_indentation

_MODULES = Path(project_settings.BASE_DIR) / "static" / "js"
_IMPORTED = re.compile(r"""^import[^;]*?["']\./([\w.-]+)["'];$""", re.MULTILINE)
_OF_SOME_PAGES = ("jobs.js", "selection.js", "time_zone.js")
_MOST_LINES = 200
# Of modules as they are served to browsers, compressed by brotli: of all that every page loads, and
# of one that only some pages load.
_MOST_BYTES = 12_000
_MOST_BYTES_OF_SOME_PAGES = 600


@pytest.mark.parametrize("storage", ["StaticStorage", "UncompressedStaticStorage"])
def test_the_script_is_one_module_and_others_import_helpers_by_hashed_names(
    settings: Any, tmp_path: Path, storage: str
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_DIRS = [_MODULES.parent]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": f"goodyadmin.storage.{storage}"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    paths = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    texts = {
        name: (tmp_path / path).read_text()
        for name, path in paths.items()
        if name.startswith(("js/", "css/"))
    }
    assert len(texts) == len([*_MODULES.glob("*.js"), *_MODULES.parent.glob("css/*.css")])
    assert not [name for name, text in texts.items() if re.search(r"^\s*/\*", text, re.MULTILINE)]
    assert "import " not in texts["js/app.js"]
    # Modules with state or listeners would run twice beside the joined ones.
    helpers = {paths["js/dom.js"].removeprefix("js/")}
    assert {name for one in _OF_SOME_PAGES for name in _IMPORTED.findall(texts[f"js/{one}"])} == (
        helpers
    )


def test_the_script_is_small() -> None:
    modules = {path.stem: path.read_text() for path in _MODULES.glob("*.js")}
    assert max(module.count("\n") for module in modules.values()) < _MOST_LINES
    of_some_pages = [modules[name.removesuffix(".js")] for name in _OF_SOME_PAGES]
    assert max(map(_served_bytes, of_some_pages)) < _MOST_BYTES_OF_SOME_PAGES
    assert _served_bytes(bundle_modules("app", modules.__getitem__)) < _MOST_BYTES


def _served_bytes(module: str) -> int:
    return len(brotli.compress(strip_comments_and_indentation(module).encode()))


def test_joined_modules_run_once_in_the_order_of_their_imports() -> None:
    modules = {
        "app": 'import "./b.js";\nimport { one, two } from "./a.js";\nuse(one, two());\n',
        "a": "export const one = 1;\nexport async function two() {}\n",
        "b": 'import { one } from "./a.js";\nlet mine = one;\nexport function change() {}\n',
    }
    assert bundle_modules("app", modules.__getitem__) == (
        "const $a = (() => {\nconst one = 1;\nasync function two() {}\n\n"
        "return { one, two };\n})();\n"
        "const $b = (() => {\nconst { one } = $a;\nlet mine = one;\nfunction change() {}\n\n"
        "return { change };\n})();\n"
        "const $app = (() => {\nconst { one, two } = $a;\nuse(one, two());\n\n"
        "return {  };\n})();\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        'import { a as b } from "./a.js";',
        'import * as a from "./a.js";',
        "export default 1;",
        "export let a = 1;",
        "export { a };",
    ],
)
def test_other_imports_and_exports_are_refused(line: str) -> None:
    modules = {"app": f"{line}\n", "a": ""}
    with pytest.raises(ValueError, match=r"app\.js: "):
        bundle_modules("app", modules.__getitem__)


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
