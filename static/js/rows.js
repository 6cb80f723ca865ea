/* The rows of the list: which one was opened, and moving between them. */

import { byId } from "./dom.js";

export function rows() {
  return [...document.querySelectorAll("tr[data-order-id]")];
}

export function currentRow() {
  return document.activeElement?.closest("tr[data-order-id]");
}

/* Focus the row so many below the current one; from none, the first or the last. */
export function moveBy(count) {
  const all = rows();
  const now = all.indexOf(currentRow());
  const next = now >= 0 ? now + count : count > 0 ? 0 : all.length - 1;
  all[Math.min(Math.max(next, 0), all.length - 1)]?.querySelector("[data-open]").focus();
}

/* The list's URL names the opened row, so that Back leads to it. */
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-open]")?.closest("tr[id]");
  if (row) {
    history.replaceState(history.state, "", `#${row.id}`);
  }
});

/* Not before `load`: until then the browser itself moves the focus to the fragment's target. */
window.addEventListener("load", () => {
  requestAnimationFrame(() => {
    const row = location.hash.startsWith("#order-") && byId(location.hash.slice(1));
    row?.querySelector?.("[data-open]").focus({ preventScroll: true });
  });
});
