"""Starts Chromium for the browser tests, and records its requests and errors.

`python -m testing.browser` fails when no Chromium is installed.
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


# Debian's packages; without its windows Chromium takes half the CPU time.
_COMMANDS = ("chromium-headless-shell", "chromium")


@cache
def system_chromium() -> str:
    """Return the path of a working Chromium, or "" (Ubuntu's package only asks for a snap)."""
    paths = [path for command in _COMMANDS if (path := shutil.which(command))]
    return next((path for path in paths if _prints_its_version(path)), "")


def _prints_its_version(path: str) -> bool:
    return not subprocess.run([path, "--version"], capture_output=True, check=False).returncode


def launch_options(playwright: Playwright) -> dict[str, object] | None:
    """Return playwright's launch arguments; None if there is no Chromium at all."""
    if path := system_chromium():
        return {"executable_path": path, "args": ARGUMENTS}
    if Path(playwright.chromium.executable_path).exists():
        return {"args": ARGUMENTS}
    return None


class BrowserLog:
    """Records the requests of browsers and their errors: script errors, CSP reports, statuses.

    An answer with an error status is an error, unless the status is in `expected`; so is any other
    error or warning in the console, unless it contains one of `expected_texts`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.expected: set[int] = set()
        self.expected_texts: set[str] = set()
        self.requests: list[Request] = []
        self._complaints: list[str] = []

    def attach(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", self._dialog)
        context.on("request", self._request)

    def detach(self, context: BrowserContext) -> None:
        context.remove_listener("console", self._console)
        context.remove_listener("weberror", self._error)
        context.remove_listener("dialog", self._dialog)
        context.remove_listener("request", self._request)

    def _request(self, request: Request) -> None:
        self.requests.append(request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(message.text)

    def _error(self, error: WebError) -> None:
        self._complaints.append(f"uncaught: {error.error}")

    def _dialog(self, dialog: Dialog) -> None:
        """The pages never call alert(): a dialog means that vendor text was executed."""
        self._complaints.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def request_paths(self, method: str = "", path: str = "") -> list[str]:
        """Return the paths of the requests with this method whose path contains `path`."""
        return [
            request.url.removeprefix(self.url)
            for request in self.requests
            if method in ("", request.method) and path in request.url
        ]

    def unexpected_errors(self) -> list[str]:
        """Return the errors that were not expected."""
        return [text for text in self._complaints if not self._is_expected(text)]

    def _is_expected(self, text: str) -> bool:
        # htmx reports a request that a later one replaced in this way.
        if text.startswith("htmx: htmx:error: The user aborted a request. AbortError"):
            return True
        statuses = {f"responded with a status of {status}" for status in self.expected}
        return any(one in text for one in statuses | self.expected_texts)

    def assert_clean(self) -> None:
        """Assert that there are no errors and no requests to other hosts."""
        assert not self.unexpected_errors(), self.unexpected_errors()
        elsewhere = [one.url for one in self.requests if not one.url.startswith(self.url)]
        assert not elsewhere, elsewhere


if __name__ == "__main__":
    with sync_playwright() as started:
        sys.exit(0 if launch_options(started) else 1)
