/* Single-key shortcuts. They only follow links and focus fields; none changes an order. */

import { byId, follow } from "./dom.js";
import { currentRow, moveBy, rows } from "./rows.js";
import { searchBox } from "./search.js";

const SEQUENCE_MS = 1_500;

const SHORTCUTS = {
  "/": () => searchBox()?.select(),
  j: () => (rows().length ? moveBy(1) : follow('.walk [rel="next"]')),
  k: () => (rows().length ? moveBy(-1) : follow('.walk [rel="prev"]')),
  e: () => follow('[data-key="e"]', actionRoot()),
  c: () => follow('[data-key="c"]', actionRoot()),
  y: () => follow('[data-key="y"]'),
  r: () => follow("[data-refresh]"),
  "[": () => follow('.pager [rel="prev"]'),
  "]": () => follow('.pager [rel="next"]'),
  "?": () => byId("shortcuts").showModal(),
};

/* On a list an action needs a current row; an order's page has only the one order. */
function actionRoot() {
  return currentRow() || (rows().length ? null : document);
}

function isEnabled(event) {
  return (
    document.documentElement.hasAttribute("data-shortcuts") &&
    !(event.ctrlKey || event.metaKey || event.altKey || event.repeat) &&
    !event.target.closest("input, select, textarea, [contenteditable]") &&
    !document.querySelector("dialog[open]")
  );
}

/* Whether the next key is the second of a sequence such as "g o". */
let isSecond = false;

document.addEventListener("keydown", (event) => {
  if (!isEnabled(event)) {
    return;
  }
  if (isSecond) {
    isSecond = false;
    follow(`[data-go="${CSS.escape(event.key)}"]`);
  } else if (event.key === "g") {
    isSecond = true;
    setTimeout(() => {
      isSecond = false;
    }, SEQUENCE_MS);
  } else if (Object.hasOwn(SHORTCUTS, event.key)) {
    event.preventDefault();
    SHORTCUTS[event.key]();
  }
});
