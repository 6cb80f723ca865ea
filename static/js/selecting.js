/* The boxes of a list: ranges by Shift, the whole page, and how many are ticked, announced. */

import { announce, byId } from "./dom.js";

const boxes = () => [...document.querySelectorAll('#selection [name="order"]')];

/* The box that was clicked last, from which Shift ticks or clears a range. */
let last = null;

function show() {
  const all = boxes();
  const count = all.filter((box) => box.checked).length;
  const { all: matching } = byId("selection").elements;
  const isWhole = count === all.length;
  for (const box of document.querySelectorAll("#selection thead [data-tick-page]")) {
    box.checked = isWhole;
    box.indeterminate = count > 0 && !isWhole;
  }
  if (matching && !isWhole) {
    matching.checked = false;
  }
  announce(matching?.checked ? "All that match selected" : `${count} selected`);
}

function tickAll(isTicked) {
  for (const box of boxes()) {
    box.checked = isTicked;
  }
  byId("selection").dispatchEvent(new Event("change", { bubbles: true }));
}

function clicked(event) {
  const { target } = event;
  if (target.matches('#selection [name="order"]')) {
    const all = boxes();
    const ends = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
    if (event.shiftKey && ends[0] >= 0) {
      for (const box of all.slice(ends[0], ends[1])) {
        box.checked = target.checked;
      }
    }
    last = target;
  } else if (target.closest("a[data-tick-page], a[data-tick-none]")) {
    event.preventDefault();
    tickAll(target.hasAttribute("data-tick-page"));
  } else if (target.matches("[data-tick-page]")) {
    tickAll(target.checked);
  }
}

/* Captured: links of the list are followed by the list's own listener. */
document.addEventListener("click", clicked, true);

document.addEventListener("change", ({ target }) => {
  if (target.closest("#selection")) {
    show();
  }
});

/* A row that is replaced, by a poll, keeps its tick. */
document.addEventListener("htmx:before:swap", () => {
  const ticked = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  document.addEventListener(
    "htmx:after:swap",
    () => {
      for (const box of boxes()) {
        box.checked ||= ticked.has(box.value);
      }
    },
    { once: true },
  );
});
