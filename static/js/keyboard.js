/* Keyboard shortcuts. They follow links, focus fields and open lists, dialogs and previews;
 * none changes an order. */

import { byId, follow, showDialog } from "./dom.js";
import { openCommands } from "./palette.js";
import { currentRow, moveBy, rows } from "./rows.js";
import { searchBox } from "./search.js";

const SEQUENCE_MS = 1_500;
const SIGNS = ["/", "?", "[", "]"];

const SHORTCUTS = {
  "/": () => searchBox()?.select(),
  j: () => (rows().length ? moveBy(1) : follow('.neighbors [rel="next"]')),
  k: () => (rows().length ? moveBy(-1) : follow('.neighbors [rel="prev"]')),
  e: () => act("e", "extend", "expiration"),
  c: () => act("c", "cancel", "cancel"),
  x: () => follow('[name="order"]', currentRow()),
  y: () => follow('[data-key="y"]'),
  r: () => follow("[data-refresh]"),
  "[": () => follow('.pager [rel="prev"]'),
  "]": () => follow('.pager [rel="next"]'),
  "?": () => showDialog("shortcuts"),
};

/* Open the preview of a bulk action if orders are checked, else the dialog of one order. In a row its
 * link is found by the end of the URL. */
function act(key, action, page) {
  const isChecked = document.querySelector('#selection [type="checkbox"]:checked');
  const link = `[data-key="${key}"], .actions [href$="/${page}/"]`;
  follow(...(isChecked ? [`#bulk-bar [value="${action}"]`] : [link, actionRoot()]));
}

/* On a list an action needs a current row; an order's page has only the one order. */
function actionRoot() {
  return currentRow() || (rows().length ? null : document);
}

function isEnabled(event) {
  return (
    document.documentElement.hasAttribute("data-shortcuts") &&
    !(event.repeat || event.isComposing) &&
    !event.target.closest("input:not([data-box], [type=checkbox]), select, textarea, [contenteditable]") &&
    !document.querySelector("dialog[open]")
  );
}

/* Whether the keys are Ctrl K, or Cmd K on a Mac; also in the search box. */
function isForCommands({ altKey, code, ctrlKey, key, metaKey, shiftKey }) {
  const isK = key.toLowerCase() === "k" || (!/\p{Script=Latin}/u.test(key) && code === "KeyK");
  return isK && ctrlKey !== metaKey && !altKey && !shiftKey;
}

/* The shortcut of a key press on any keyboard layout, or "". Signs count as typed, also with AltGr or
 * Option; letters count in lower case, regardless of Caps Lock. */
function shortcutOf(event) {
  const { code, key } = event;
  const isCommand = event.ctrlKey || event.metaKey || event.altKey;
  const isAltGr = event.getModifierState("AltGraph") || (event.altKey && !event.metaKey);
  if (key.length > 1 || (isCommand && !isAltGr)) {
    return "";
  }
  if (SIGNS.includes(key)) {
    return key;
  }
  const isLetter = /\p{L}/u.test(key) && !isCommand && !isAltGr && !event.shiftKey;
  if (!isLetter) {
    return "";
  }
  return /\p{Script=Latin}/u.test(key) ? key.toLowerCase() : usLetter(code);
}

/* The letter of the key on a US keyboard, for layouts without Latin letters. */
function usLetter(code) {
  return { BracketLeft: "[", BracketRight: "]", Slash: "/" }[code] || code.replace(/^Key/, "").toLowerCase();
}

/* Whether the next key is the second of a sequence such as "g o". */
let isSecond = false;

document.addEventListener("keydown", (event) => {
  if (isEnabled(event) && isForCommands(event) && byId("commands")) {
    event.preventDefault();
    openCommands();
    return;
  }
  const shortcut = isEnabled(event) && !event.target.closest("[data-box]") && shortcutOf(event);
  if (!shortcut) {
    return;
  }
  if (isSecond) {
    isSecond = false;
    follow(`[data-go="${CSS.escape(shortcut)}"]`);
  } else if (shortcut === "g") {
    isSecond = true;
    setTimeout(() => {
      isSecond = false;
    }, SEQUENCE_MS);
  } else if (Object.hasOwn(SHORTCUTS, shortcut)) {
    event.preventDefault();
    SHORTCUTS[shortcut]();
  }
});
