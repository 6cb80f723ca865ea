"""What holds for every page in every state. Each check returns what it found wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, ViewportSize

from integration.browser.moves import settle

# WCAG 2.2 at level AA, and the best practices of axe. The rows of a table beyond the third are left
# out, and the frame and the rule about contrast except in a page's first state: most of its time
# goes into the contrast of each text. The dashboard serves the script (testing.settings), since a
# browser keeps the compiled code of a file and not that of a text.
_RUN_AXE = """async isFirst => {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, {src: "/static/axe.min.js", onload: resolve, onerror: reject});
    document.head.append(script);
  });
  const exclude = [["tbody tr:nth-child(n+4)"], [".options > [role=group] > :nth-child(n+4)"]];
  const rules = {};
  if (!isFirst) {
    exclude.push([".topbar"]);
    rules["color-contrast"] = {enabled: false};
  }
  const found = (await axe.run({exclude}, {resultTypes: ["violations"], rules})).violations;
  return found.flatMap(one => one.nodes.map(
    it => `${one.id}: ${it.html.slice(0, 200)} ${it.failureSummary}`));
}"""

# The contrast of each text with the nearest opaque background, in one theme. axe takes fifty times
# as long.
_INSPECT_CONTRAST = """theme => {
  document.documentElement.dataset.theme = theme;
  const parse = color => {
    const parts = color.match(/[-.\\d]+(?=[\\s,)/])/g).map(Number);
    const scale = color.startsWith("rgb") ? 255 : 1;
    return [...parts.slice(0, 3).map(it => it / scale), parts[3] ?? 1];
  };
  const over = ([r, g, b, alpha], below) =>
    [r, g, b].map((one, n) => one * alpha + below[n] * (1 - alpha));
  const background = element => {
    if (!element) {
      return parse(getComputedStyle(document.documentElement).backgroundColor).slice(0, 3);
    }
    const own = parse(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, background(element.parentElement));
  };
  const luminance = color => color
    .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4)
    .reduce((sum, it, n) => sum + it * [0.2126, 0.7152, 0.0722][n], 0);
  const opacity = it => Number(getComputedStyle(it).opacity);
  const faded = it => it && (opacity(it) < 1 ? it : faded(it.parentElement));
  const isDisabled = it => it.closest(":disabled, [aria-disabled=true]");
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const it = texts.currentNode.parentElement;
    const isSeen = texts.currentNode.data.trim() && it.checkVisibility(
      {visibilityProperty: true, opacityProperty: true});
    if (!isSeen || it.closest(".sr-only, svg") || isDisabled(it)) {
      continue;
    }
    const below = background(it);
    const style = getComputedStyle(it);
    const group = faded(it);
    const levels = [over(parse(style.color), below), below]
      .map(one => group ? over([...one, opacity(group)], background(group.parentElement)) : one)
      .map(luminance).sort((a, b) => b - a);
    const ratio = (levels[0] + 0.05) / (levels[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
    if (ratio < (isLarge ? 3 : 4.5)) {
      const text = texts.currentNode.data.trim().slice(0, 40);
      found.add(`${it.localName}.${it.className} ${text}: ${ratio.toFixed(2)}`);
    }
  }
  return [...found];
}"""

# A small phone; 200 % zoom, which halves a window of 1,280 x 800; where the rows of a list stop
# being cards; half a screen.
_WINDOWS = [(320, 640), (640, 400), (720, 640), (1024, 640)]

# A4 between its margins.
SHEET: ViewportSize = {"width": 703, "height": 1032}

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
    .filter(it => !it.matches(".selectable th > input"))
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

# What only works on a screen.
_FRAME = """() => [...document.querySelectorAll(
    ".topbar, #toasts, .skip, .views, .filter-bar, .pager, button, .button")]
  .filter(it => it.checkVisibility() && it.getBoundingClientRect().height)
  .map(it => it.className)"""

type Findings = dict[str, list[str]]


def inspect(page: Page, *, is_first: bool, polls: bool) -> Findings:
    """Make every check of a page that has just been brought into its state.

    `is_first`: it is the first state of its page. With `polls`, two minutes pass. Afterwards the
    page is dark.
    """
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found: Findings = {"layout shifts while it loaded": page.evaluate("takeShifts()")}
    found |= page.evaluate(_INSPECT_MARKUP)
    found["axe"] = page.evaluate(_RUN_AXE, is_first)
    for theme in ("light", "dark"):
        found[f"contrast in the {theme} theme"] = page.evaluate(_INSPECT_CONTRAST, theme)
    # Before the windows: the browser excuses shifts that follow a resize.
    if polls:
        found["layout shifts within two minutes"] = _shifts_of_two_minutes(page)
    found |= dict(_in_each_window(page))
    return {name: wrong for name, wrong in found.items() if wrong}


def inspect_print(page: Page) -> Findings:
    """Check the printed page: without the frame, and not wider than a sheet of A4."""
    page.emulate_media(media="print")
    page.set_viewport_size(SHEET)
    found: Findings = {"printed": page.evaluate(_FRAME)}
    wide = page.evaluate("document.documentElement.scrollWidth")
    found["wider than a sheet"] = [f"{wide}"] if wide > SHEET["width"] else []
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
    for _ in range(3):
        page.clock.fast_forward(41_000)
        settle(page)
    shifts: list[str] = page.evaluate("takeShifts()")
    return shifts
