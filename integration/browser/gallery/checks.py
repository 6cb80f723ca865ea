"""What holds for every page in every state. Each check returns what it found wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from integration.browser.moves import settle

# WCAG 2.2 at level AA, and the best practices of axe. Rows of a table beyond the first six are
# like those, and would take most of the time.
_AXE = Axe()
_RUN_AXE = """async colors => {
  const context = {
    exclude: [["tbody tr:nth-child(n+7)"], [".options > [role=group] > :nth-child(n+7)"]],
  };
  const run = async options => (await axe.run(context, {resultTypes: ["violations"], ...options}))
    .violations.flatMap(one => one.nodes.map(
      it => `${one.id}: ${it.html.slice(0, 200)} ${it.failureSummary}`));
  const found = {light: await run({})};
  document.documentElement.dataset.theme = "dark";
  found.dark = await run({runOnly: colors});
  return found;
}"""
# The rules of axe that depend on the theme.
_COLORS = ["color-contrast", "link-in-text-block"]

# 200 % zoom halves a window of 1,280 x 800. A small phone, where the rows of a list stop being
# cards, a tablet, half a screen.
_WINDOWS = [(320, 640), (640, 400), (720, 640), (768, 640), (1024, 640)]

# Records the layout shifts that no click or key caused (Layout Instability API).
WATCH_SHIFTS = """(() => {
  const shifts = [];
  const record = entries => {
    for (const one of entries.filter(it => !it.hadRecentInput)) {
      shifts.push(...one.sources.map(({node, previousRect: from, currentRect: to}) => {
        const what = (node?.outerHTML ?? node?.data ?? "?").slice(0, 90);
        return `${from.x},${from.y} to ${to.x},${to.y}: ${what}`;
      }));
    }
  };
  const observer = new PerformanceObserver(list => record(list.getEntries()));
  observer.observe({type: "layout-shift", buffered: true});
  window.takeShifts = () => {
    record(observer.takeRecords());
    return shifts.splice(0);
  };
})()"""

_INSPECT = """() => {
  const name = it => `${it.localName}.${it.className} ${it.textContent.trim().slice(0, 40)}`;
  const all = selector => [...document.querySelectorAll(selector)];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const smallTexts = new Set();
  while (texts.nextNode()) {
    const parent = texts.currentNode.parentElement;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size && size < 12 && texts.currentNode.data.trim() && parent.checkVisibility()) {
      smallTexts.add(`${name(parent)}: ${size}`);
    }
  }
  const targets = "table a, table button, button, .button, .pager a, nav a, summary," +
    "input[type=radio], input[type=checkbox]";
  const smallTargets = all(targets).filter(it => it.checkVisibility() && !it.closest(".sr-only"))
    // The checkbox of a row has enough space around it.
    .filter(it => !it.matches(".tick input"))
    .map(it => it.closest(".chip, .choice, label") ?? it)
    .map(it => [name(it), it.getBoundingClientRect()])
    .filter(([, box]) => box.width < 24 || box.height < 24)
    .map(([text, box]) => `${text}: ${box.width} x ${box.height}`);
  const isTooWide = document.documentElement.scrollWidth > innerWidth;
  const wide = all("main *, header *, dialog *").filter(
    it => isTooWide && it.checkVisibility() && it.getBoundingClientRect().right > innerWidth);
  return {
    "texts under 12 px": [...smallTexts],
    "targets under 24 px": smallTargets,
    "wider than the window": isTooWide ? ["the page", ...wide.slice(0, 3).map(name)] : [],
  };
}"""

_INSPECT_MARKUP = """() => {
  const all = [...document.querySelectorAll("*")];
  const ids = all.map(it => it.id).filter(Boolean);
  const aims = [...document.querySelectorAll("[hx-target]")].filter(it => {
    const aim = it.getAttribute("hx-target");
    const [, ancestor] = aim.match(/^closest (.+)/) ?? [];
    const count = ancestor ? Number(!!it.closest(ancestor)) : document.querySelectorAll(aim).length;
    return aim !== "this" && count !== 1;
  });
  const moving = all.filter(it => {
    const style = getComputedStyle(it);
    return parseFloat(style.animationDuration) >= 0.001 || parseFloat(style.transitionDuration) > 0;
  });
  return {
    "repeated ids": ids.filter((id, at) => ids.indexOf(id) !== at),
    "targets of htmx that do not exist once": aims.map(it => it.getAttribute("hx-target")),
    "motion although reduced": moving.map(it => `${it.localName}.${it.className}`),
    "headings of level 1": document.querySelectorAll("h1").length === 1 ? [] : ["not one"],
  };
}"""

_FRAME = """() => [...document.querySelectorAll(".topbar, #toasts, .skip, dialog:not([open])")]
  .filter(it => it.checkVisibility() && it.getBoundingClientRect().height)
  .map(it => it.className)"""

type Findings = dict[str, list[str]]


def inspect(page: Page, *, polls: bool) -> Findings:
    """Make every check of a page that has just been brought into its state.

    With `polls`, two minutes pass. Afterwards the page is dark.
    """
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found: Findings = {"layout shifts while it loaded": page.evaluate("takeShifts()")}
    found |= page.evaluate(_INSPECT_MARKUP)
    page.evaluate(_AXE.axe_script)
    themes = page.evaluate(_RUN_AXE, _COLORS)
    found |= {f"axe, {theme}": violations for theme, violations in themes.items()}
    found |= dict(_in_each_window(page))
    if polls:
        found["layout shifts within two minutes"] = _shifts_of_two_minutes(page)
    return {name: wrong for name, wrong in found.items() if wrong}


def inspect_print(page: Page) -> Findings:
    """Check the printed page: without the frame, and not wider than a sheet of A4."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})
    found: Findings = {"printed": page.evaluate(_FRAME)}
    wide = page.evaluate("document.documentElement.scrollWidth")
    found["wider than a sheet"] = [f"{wide}"] if wide > 794 else []
    page.emulate_media(media="screen")
    return {name: wrong for name, wrong in found.items() if wrong}


def _in_each_window(page: Page) -> Iterator[tuple[str, list[str]]]:
    before: Any = page.viewport_size
    for width, height in _WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        for name, wrong in page.evaluate(_INSPECT).items():
            yield f"{name} at {width} x {height}", wrong
    page.set_viewport_size(before)
    for name, wrong in page.evaluate(_INSPECT).items():
        yield name, wrong


def _shifts_of_two_minutes(page: Page) -> list[str]:
    """Return the layout shifts that polls cause. The clock jumps over the time between them.

    Each jump is shorter than the time limit of a request, which may be under way.
    """
    page.evaluate("takeShifts()")
    for _ in range(4):
        page.clock.fast_forward(31_000)
        settle(page)
    shifts: list[str] = page.evaluate("takeShifts()")
    return shifts
