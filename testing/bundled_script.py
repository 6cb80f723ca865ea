"""Builds the bundled script of the pages, which production serves (goodyadmin.storage)."""

from __future__ import annotations

import tempfile
from hashlib import blake2b
from pathlib import Path

from goodyadmin.script_bundle import bundle_modules

_MODULES = Path(__file__).resolve().parent.parent / "static" / "js"


def bundled_script_folder() -> Path:
    """Return a folder for STATICFILES_DIRS that contains the bundle; equal bundles share one."""
    script = bundle_modules(
        "app", lambda name: (_MODULES / f"{name}.js").read_text(encoding="utf-8")
    )
    digest = blake2b(script.encode(), digest_size=8).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"goody-admin-script-{digest}"
    path = folder / "js" / "app.js"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several processes may write it at once.
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(script)
        Path(file.name).replace(path)
    return folder
