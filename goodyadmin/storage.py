"""Storages for static files. In both, JavaScript modules import each other by hashed names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage with cached URLs: a page names some ten files, and computing a URL takes
    longer than looking up a string. Files do not change while the dashboard runs.
    """

    support_js_module_import_aggregation = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = lru_cache(maxsize=256)(super().url)  # type: ignore[method-assign]


class UncompressedStaticStorage(ManifestStaticFilesStorage):
    """The same names and manifest as `StaticStorage`, without compressed copies: collecting them
    takes longer than everything else that the demo does before it serves.
    """

    support_js_module_import_aggregation = True
