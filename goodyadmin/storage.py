"""Storages for static files. In both, JavaScript modules import each other by hashed names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

_OWN_SCRIPT = "js/"
# Comments that begin a line, and indentation. No string of ours has either.
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/\n?|//[^\n]*\n)", re.DOTALL | re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


def strip_comments_and_indentation(script: str) -> str:
    """Return a module of our own script without comments and indentation."""
    return _INDENTATION.sub("", _COMMENT.sub("", script))


class _StrippedScripts(Storage):
    """Reads the modules of a storage without comments."""

    def __init__(self, source: Storage) -> None:
        self._source = source

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        with self._source.open(name, mode) as file:
            return ContentFile(strip_comments_and_indentation(file.read().decode()).encode(), name)


class _SmallScriptMixin(ManifestStaticFilesStorage):
    """Serves the modules of our own script without comments, a quarter of their compressed size."""

    support_js_module_import_aggregation = True

    def post_process(
        self, paths: Mapping[str, tuple[Storage, str]], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        small = {
            name: (_StrippedScripts(storage), path) if _is_own_script(name) else (storage, path)
            for name, (storage, path) in paths.items()
        }
        yield from super().post_process(small, dry_run, **options)


def _is_own_script(name: str) -> bool:
    return name.startswith(_OWN_SCRIPT) and name.endswith(".js")


class StaticStorage(_SmallScriptMixin, CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage with cached URLs: a page names some ten files, and computing a URL takes
    longer than looking up a string. Files do not change while the dashboard runs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = lru_cache(maxsize=256)(super().url)  # type: ignore[method-assign]


class UncompressedStaticStorage(_SmallScriptMixin):
    """The same names and manifest as `StaticStorage`, without compressed copies: collecting them
    takes longer than everything else that the demo does before it serves.
    """
