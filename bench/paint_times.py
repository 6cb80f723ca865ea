"""Times from a click or a key press to the paint of the page, from the browser's own entries."""

from __future__ import annotations

from playwright.sync_api import Page

from testing.serving import wait_for

# Runs in every page before its own scripts. Times are milliseconds since 1970, kept in the session
# storage, since a navigation ends the page in which the click was. The browser reports the first
# paint of a page itself. What a swap inserts is painted when the frame after the next one begins,
# which is late rather than early; the options of the search box are shown after their swap.
RECORD_TIMES = """
(() => {
  const store = (name, time) => {
    sessionStorage.setItem(`bench-${name}`, performance.timeOrigin + time);
  };
  for (const type of ["click", "keydown"]) {
    addEventListener(type, (event) => store("started", event.timeStamp), true);
  }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) {
      store("painted", entry.startTime);
    }
  }).observe({ type: "paint", buffered: true });
  const shown = () => {
    requestAnimationFrame(() => requestAnimationFrame(() => store("painted", performance.now())));
  };
  const isBox = ({ detail }) => detail.ctx.sourceElement.id === "q";
  document.addEventListener("htmx:before:swap", (event) => isBox(event) || shown(), true);
  document.addEventListener("htmx:after:swap", (event) => isBox(event) && shown(), true);
})();
"""
_READ = "sessionStorage.getItem('bench-painted') - sessionStorage.getItem('bench-started')"


_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def wait_for_first_paint(page: Page) -> float:
    """Return the milliseconds from the start of the navigation to the first paint."""
    return float(wait_for(lambda: page.evaluate(_FIRST_PAINT), timeout=30, what="a first paint"))


def clear_times(page: Page) -> None:
    """Discard the times of earlier paints."""
    page.evaluate("sessionStorage.removeItem('bench-painted')")


def wait_for_paint(page: Page) -> None:
    """Wait until something has been painted since `clear_times`."""
    wait_for(
        lambda: page.evaluate("sessionStorage.getItem('bench-painted') !== null"),
        timeout=30,
        what="the page is painted",
    )


def read_duration(page: Page) -> float:
    """Return the milliseconds from the last click or key to the last paint."""
    return float(page.evaluate(_READ))
