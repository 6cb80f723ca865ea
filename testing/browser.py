"""Which Chromium the browser tests use, and what it complains about.

`python -m testing.browser` fails when there is none.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Playwright,
    Request,
    WebError,
    sync_playwright,
)

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


class Watch:
    """What browsers asked for, and what they complained about: errors of scripts and of the CSP.

    An answer with an error status is a complaint too, unless its status is in `expected`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.expected: set[int] = set()
        self.requests: list[Request] = []
        self._complaints: list[str] = []

    def observe(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", self._dialog)
        context.on("request", self._request)

    def _request(self, request: Request) -> None:
        self.requests.append(request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(message.text)

    def _error(self, error: WebError) -> None:
        self._complaints.append(f"uncaught: {error.error}")

    def _dialog(self, dialog: Dialog) -> None:
        """Nothing of ours calls alert(); what a vendor's text might is caught here."""
        self._complaints.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def sent(self, method: str = "", path: str = "") -> list[str]:
        """The paths of the requests with that method whose path has `path` in it."""
        return [
            request.url.removeprefix(self.url)
            for request in self.requests
            if method in ("", request.method) and path in request.url
        ]

    def complaints(self) -> list[str]:
        """All but the errors that are expected."""
        return [text for text in self._complaints if not self._is_expected(text)]

    def _is_expected(self, text: str) -> bool:
        # How htmx reports a request whose place another one took before it was answered.
        if text.startswith("htmx: htmx:error: The user aborted a request. AbortError"):
            return True
        return any(f"responded with a status of {status}" in text for status in self.expected)

    def assert_clean(self) -> None:
        """Nothing to complain about, and no host was asked but the dashboard's own."""
        assert not self.complaints(), self.complaints()
        elsewhere = [one.url for one in self.requests if not one.url.startswith(self.url)]
        assert not elsewhere, elsewhere


if __name__ == "__main__":
    with sync_playwright() as started:
        sys.exit(0 if launch_options(started) else 1)
