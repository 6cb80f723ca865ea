"""Bundles the page's ES modules into one script, and strips comments from scripts and styles."""

from __future__ import annotations

import re
from collections.abc import Callable

# From the name of a module, without folder and ending, to its source.
type ReadModule = Callable[[str], str]

# Comments that begin a line, and indentation. No string of ours has either.
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/\n?|//[^\n]*\n)", re.DOTALL | re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
_NAMES = r"\{\s*\w+(?:\s*,\s*\w+)*\s*,?\s*\}"
_IMPORT = re.compile(
    rf"""^import (?:(?P<names>{_NAMES}) from )?"\./(?P<name>\w+)\.js";\n""", re.MULTILINE
)
_EXPORT = re.compile(r"^export (?P<kind>(?:async )?function|const) (?P<name>\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def strip_comments_and_indentation(text: str) -> str:
    """Return a script or a style sheet of ours without comments and indentation."""
    return _INDENTATION.sub("", _COMMENT.sub("", text))


def bundle_modules(entry: str, read: ReadModule) -> str:
    """Return one module that contains `entry` and all modules that it imports.

    Each module becomes a function that returns its exports, and runs after the modules that it
    imports, as in ECMAScript. Raises ValueError for an import or export in a form that our modules
    do not use, and RecursionError for circular imports.
    """
    joined: dict[str, str] = {}

    def add(name: str) -> None:
        if name not in joined:
            source = read(name)
            for imported in _IMPORT.finditer(source):
                add(imported["name"])
            joined[name] = _as_function(name, source)

    add(entry)
    return "".join(joined.values())


def _as_function(name: str, source: str) -> str:
    exported = ", ".join(match["name"] for match in _EXPORT.finditer(source))
    body = _EXPORT.sub(r"\g<kind> \g<name>", _IMPORT.sub(_as_constants, source))
    if left := _LEFT.search(body):
        raise ValueError(f"{name}.js: {left[0]}")
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"


def _as_constants(imported: re.Match[str]) -> str:
    names = imported["names"]
    return f"const {names} = ${imported['name']};\n" if names else ""
