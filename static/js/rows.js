/* The list: links that replace only the list, the dialogs of its rows, and keys that move between rows.
 * One listener handles all rows, because htmx attributes on each of them would be slow. */

import { byId, fill } from "./dom.js";

/* Of a list, and of a ticket's page. */
const ROWS = ".orders tbody tr, .ticket__orders tbody tr";

export function rows() {
  return [...document.querySelectorAll(ROWS)];
}

export function currentRow() {
  return document.activeElement?.closest(ROWS);
}

/* Focus the row `count` rows below the current one; without a current row, the first or the last. */
export function moveBy(count) {
  const all = rows();
  const now = all.indexOf(currentRow());
  const next = now >= 0 ? now + count : count > 0 ? 0 : all.length - 1;
  all[Math.min(Math.max(next, 0), all.length - 1)]?.querySelector("th a").focus();
}

/* A link from the list to a list. Clicks with a modifier do not get here: see requests.js. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("#results a[href]");
  if (!link || event.defaultPrevented || link.pathname !== byId("results").dataset.list) {
    return;
  }
  event.preventDefault();
  const push = link.href === location.href ? undefined : "true";
  fill(byId("results"), link, { event, swap: "outerHTML", push });
});

/* Opens the dialog of a row: passes the link to htmx before htmx handles the click. */
window.addEventListener(
  "click",
  (event) => {
    const link = event.target.closest(".orders .actions > a:not(.is-busy)");
    const isModified = event.ctrlKey || event.metaKey || event.shiftKey;
    if (link && !isModified && !link.hasAttribute("hx-get")) {
      link.setAttribute("hx-get", link.getAttribute("href"));
      link.setAttribute("hx-target", "#dialog-body");
      htmx.process(link);
    }
  },
  true,
);

/* The list's URL names the opened row, so that Back leads to it. */
document.addEventListener("click", (event) => {
  const row = event.target.closest(".orders th a")?.closest("tr");
  if (row) {
    history.replaceState(history.state, "", `#${row.id}`);
  }
});

/* Not before `load`: until then the browser itself moves the focus to the fragment's target. */
window.addEventListener("load", () => {
  requestAnimationFrame(() => {
    const row = location.hash.startsWith("#order-") && byId(location.hash.slice(1));
    row?.querySelector?.("th a")?.focus({ preventScroll: true });
  });
});

/* Scrolls the tab of the current view into sight. */
function showCurrentView() {
  const tab = document.querySelector(".views .tabs [aria-current]");
  if (tab) {
    const { parentElement: tabs } = tab;
    tabs.scrollLeft = tab.offsetLeft + tab.offsetWidth - tabs.clientWidth;
  }
}

document.addEventListener("htmx:after:swap", showCurrentView);
showCurrentView();
