"""Which Chromium the browser tests use. `python -m testing.browser` fails when there is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@cache
def system_chromium() -> str:
    """Debian's, if it really runs (Ubuntu's is a stub that asks for a snap); else empty."""
    path = shutil.which("chromium") or ""
    if path and subprocess.run([path, "--version"], capture_output=True, check=False).returncode:
        return ""
    return path


def launch_options(playwright: Playwright) -> dict[str, object] | None:
    """What playwright needs to start Chromium; None when neither Debian's nor its own is there."""
    if path := system_chromium():
        return {"executable_path": path, "args": ARGUMENTS}
    if Path(playwright.chromium.executable_path).exists():
        return {"args": ARGUMENTS}
    return None


if __name__ == "__main__":
    with sync_playwright() as started:
        sys.exit(0 if launch_options(started) else 1)
