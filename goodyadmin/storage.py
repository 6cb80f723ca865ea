"""Where static files are kept: WhiteNoise's storage, with a memory for addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Each page names some ten files, and working out one address takes longer than to look up
    a text. Files do not change while the dashboard runs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = lru_cache(maxsize=256)(super().url)  # type: ignore[method-assign]
