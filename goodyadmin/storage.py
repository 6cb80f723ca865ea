"""Storages for static files, which serve the page's script as one module (script_bundle.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from goodyadmin.script_bundle import bundle_modules, strip_comments_and_indentation

# The module that pages load; those that it imports become a part of it.
_ENTRY = "js/app.js"
_OWN_FOLDERS = ("js/", "css/")


class _ServedFiles(Storage):
    """Reads the scripts and style sheets of a storage as they are served."""

    def __init__(self, source: Storage) -> None:
        self._source = source

    def _open(self, name: str, mode: str = "rb") -> File[Any]:  # noqa: ARG002
        is_entry = name == _ENTRY
        text = bundle_modules("app", self._read_module) if is_entry else self._read(name)
        return ContentFile(strip_comments_and_indentation(text).encode(), name)

    def _read_module(self, name: str) -> str:
        return self._read(f"js/{name}.js")

    def _read(self, name: str) -> str:
        with self._source.open(name) as file:
            return str(file.read().decode())


class _SmallFilesMixin(ManifestStaticFilesStorage):
    """Serves the page's script as one module and drops comments, for fewer and smaller files."""

    support_js_module_import_aggregation = True

    def post_process(
        self, paths: Mapping[str, tuple[Storage, str]], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        small = {
            name: (_ServedFiles(storage) if name.startswith(_OWN_FOLDERS) else storage, path)
            for name, (storage, path) in paths.items()
        }
        yield from super().post_process(small, dry_run, **options)


class StaticStorage(_SmallFilesMixin, CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, which caches the URLs of files.

    A page refers to some ten files, whose URLs do not change while the dashboard runs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = lru_cache(maxsize=256)(super().url)  # type: ignore[method-assign]


class UncompressedStaticStorage(_SmallFilesMixin):
    """A `StaticStorage` without compressed copies, for the demo.

    Compression would take longer than the rest of the demo's start.
    """
