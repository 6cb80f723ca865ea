"""Pictures of each state, and the contact sheet with all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from django.template import Context, Engine
from playwright.sync_api import Page, ViewportSize

from .checks import SHEET

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 320, "height": 640}
# 200 % zoom shows half as many pixels of CSS in each direction.
ZOOMED: ViewportSize = {"width": 720, "height": 450}
_TEMPLATE = Path(__file__).with_name("contact_sheet.html")


@dataclass
class Picture:
    title: str
    file: str


@dataclass
class Row:
    """The pictures of one state."""

    page: str
    state: str
    anchor: str
    pictures: list[Picture] = field(default_factory=list)


class Album:
    """Takes pictures into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: list[Row] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, page: Page, page_name: str, state_name: str, *, is_first: bool) -> None:
        """Take the pictures of a state: both themes and a phone; a page's first state also printed
        and zoomed. The page is as before afterwards.
        """
        anchor = re.sub(r"[^a-z0-9]+", "-", f"{page_name} {state_name}".lower()).strip("-")
        row = Row(page_name, state_name, anchor)
        self._rows.append(row)
        before = page.viewport_size
        theme = page.evaluate("document.documentElement.dataset.theme")
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        for title, size, color in (
            ("light", DESKTOP, "light"),
            ("dark", DESKTOP, "dark"),
            ("320 px", PHONE, "light"),
        ):
            page.set_viewport_size(size)
            _set_theme(page, color)
            self._take(page, row, title)
        if is_first:
            page.set_viewport_size(ZOOMED)
            self._take(page, row, "200 %")
            page.emulate_media(media="print")
            page.set_viewport_size(SHEET)
            self._take(page, row, "print")
            page.emulate_media(media="screen")
        _set_theme(page, theme)
        if before:
            page.set_viewport_size(before)

    def _take(self, page: Page, row: Row, title: str) -> None:
        name = f"{row.anchor}-{re.sub(r'[^a-z0-9]+', '', title)}.png"
        is_whole = page.locator("dialog[open]").count() == 0 and title != "200 %"
        page.screenshot(path=self.folder / name, full_page=is_whole)
        row.pictures.append(Picture(title, name))

    def write_contact_sheet(self) -> Path:
        template = Engine().from_string(_TEMPLATE.read_text())
        path = self.folder / "index.html"
        path.write_text(template.render(Context({"rows": self._rows})))
        return path


def _set_theme(page: Page, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
