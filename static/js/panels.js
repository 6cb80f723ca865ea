/* Panels beside the list: its filters, sorts and columns. Their links lead to pages with the same
 * forms; with the script, the forms are loaded once and shown as popovers. */

import { byId, fill } from "./dom.js";

/* The requests for panels, by the element that contains the panels. */
const requests = new WeakMap();

function load(link) {
  const host = byId(link.dataset.panelHost);
  if (!requests.has(host) || !(host.childElementCount || host.ariaBusy)) {
    requests.set(host, fill(host, link, { swap: "innerHTML" }));
  }
  return requests.get(host);
}

/* Loads names and counts before a panel is opened. */
for (const type of ["pointerover", "focusin"]) {
  document.addEventListener(type, (event) => {
    const link = event.target.closest("[data-panel]");
    if (link) {
      load(link);
    }
  });
}

function show(link) {
  const panel = byId(link.dataset.panel);
  if (!panel || panel.matches(":popover-open")) {
    return;
  }
  panel.showPopover({ source: link });
  place(panel, link);
  (panel.querySelector("input:not([type=hidden])") || panel.querySelector("a"))?.focus();
}

function place(panel, link) {
  const box = (link.closest(".filter") || link).getBoundingClientRect();
  panel.style.setProperty("--left", `${box.left + scrollX}px`);
  panel.style.setProperty("--top", `${box.bottom + scrollY}px`);
}

/* Pressing the link of an open panel closes the panel, like pressing outside of it. */
let pressedOpen = "";

document.addEventListener(
  "pointerdown",
  (event) => {
    const name = event.target.closest("[data-panel]")?.dataset.panel;
    pressedOpen = name && byId(name)?.matches(":popover-open") ? name : "";
  },
  true,
);

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-panel]");
  if (!link) {
    return;
  }
  event.preventDefault();
  if (pressedOpen !== link.dataset.panel) {
    await load(link);
    show(link);
  }
  pressedOpen = "";
});

/* Turns the form that saves a view into a popover. Without the script it expands in place. */
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.open && event.target.matches(".save-view")) {
      event.target.querySelector("[type=text]").focus();
    }
  },
  true,
);

/* Columns are moved in the form; it is submitted once. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  const item = button?.closest("li");
  if (!item) {
    return;
  }
  event.preventDefault();
  if (button.dataset.move === "up") {
    item.previousElementSibling?.before(item);
  } else {
    item.nextElementSibling?.after(item);
  }
  button.focus();
});
