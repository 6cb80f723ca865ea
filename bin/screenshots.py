"""Take the screenshots of the README from a running demo. Run by ``make screenshots``.

Needs the demo (``URL``, by default http://localhost:8000), a Chromium and pngquant.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from testing.browser import launch_options

URL = os.environ.get("URL", "http://localhost:8000").rstrip("/")
DOCS = Path(__file__).resolve().parent.parent / "docs"
COLORS = "160"


def main() -> int:
    """Return 1, with one line on stderr, if a program is missing."""
    pngquant = shutil.which("pngquant")
    with sync_playwright() as playwright:
        options = launch_options(playwright)
        if pngquant is None or options is None:
            print("make screenshots needs pngquant and a Chromium", file=sys.stderr)
            return 1
        browser = playwright.chromium.launch(**options)  # type: ignore[arg-type]
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        for picture in take_screenshots(page):
            command = [pngquant, COLORS, "--nofs", "--strip", "--force", "--ext", ".png"]
            subprocess.run([*command, picture], check=True)
            print(f"{picture.name}: {picture.stat().st_size // 1024} KB")
        browser.close()
    return 0


def take_screenshots(page: Page) -> list[Path]:
    """Take screenshots as a lead; return the files.

    They show the list, an order that expires soon, its dialog, and the preview of an extension of
    the gifts that expire within a week.
    """
    page.goto(f"{URL}/login/")
    page.get_by_label("User name").fill("lead")
    page.get_by_label("Password").fill("lead-demo")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/orders/")
    files = [take_screenshot(page, "orders")]
    page.goto(f"{URL}/orders/?expires=7d")
    page.locator(".orders tbody tr").nth(1).get_by_role("link").first.click()
    page.get_by_text("just now").wait_for()
    files.append(take_screenshot(page, "order"))
    page.get_by_role("link", name="Extend…").click()
    page.get_by_role("button", name="Extend to").and_(page.locator(":enabled")).wait_for()
    files.append(take_screenshot(page, "dialog"))
    page.goto(f"{URL}/orders/?expires=7d")
    page.get_by_role("checkbox", name="Select this page").click()
    page.get_by_role("button", name="Extend…").click()
    page.wait_for_url("**/selections/**")
    return [*files, take_screenshot(page, "preview")]


def take_screenshot(page: Page, name: str) -> Path:
    page.wait_for_load_state("networkidle")
    path = DOCS / f"{name}.png"
    page.screenshot(path=path)
    return path


if __name__ == "__main__":
    sys.exit(main())
