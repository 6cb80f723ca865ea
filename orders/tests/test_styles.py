"""Style sheets: every class is used by a template or the script, and so is every token."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

TOP = Path(settings.BASE_DIR)


def texts_of(pattern: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(TOP.glob(pattern)))


STYLES = {
    path.name: re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for path in sorted(TOP.glob("static/css/*.css"))
}
# The values of class attributes, which may have template tags with quotes in them.
_ATTRIBUTE = r'class="((?:\{%.*?%\}|\{\{.*?\}\}|[^"])*)"'
_TEMPLATES = texts_of("templates/**/*.html")
USES = [
    *re.findall(_ATTRIBUTE, _TEMPLATES),
    *re.findall(r"\{% block page_class %\}(.*?)\{% endblock", _TEMPLATES),
    # The script and the presenters name some classes as strings.
    *re.findall(r'["`]([^"`\n]*)["`]', texts_of("static/js/*.js")),
    *(
        str(node.value)
        for path in TOP.glob("orders/presenters/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 60
    ),
]


@pytest.mark.parametrize("name", STYLES)
def test_every_class_is_used(name: str) -> None:
    selectors = re.sub(r"\{[^{}]*\}", "{}", STYLES[name])
    classes = set(re.findall(r"\.([a-z][\w-]*)", selectors))
    assert classes
    assert sorted(one for one in classes if not is_used(one)) == []


def is_used(name: str) -> bool:
    """Whether a source has the class, or its stem before a variable: "badge--{{ tone }}"."""
    stem, _, variant = name.partition("--")
    if variant and any(f"{stem}--{{" in use or use.endswith(f"{stem}--") for use in USES):
        name = variant
    return any(re.search(rf"(?<![\w-]){name}(?![\w-])", use) for use in USES)


def test_every_token_is_used() -> None:
    styles = "\n".join(STYLES.values())
    tokens = set(re.findall(r"^\s*(--[\w-]+):", styles, flags=re.MULTILINE))
    assert tokens
    assert sorted(one for one in tokens if f"var({one})" not in styles) == []
