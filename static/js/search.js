/* The search box: the options below it, and the keys that choose one. */

import { activate, activeOf, follow, keepActive, optionsOf } from "./combobox.js";
import { announce, byId } from "./dom.js";
import { isTicketIn } from "./paste.js";

export const searchBox = () => document.querySelector("[data-box]");

/* Whether options are shown when they arrive, and the Enter that waits for the options of the text. */
let isWanted = false;
let entered = null;

/* Announces new results and shows their query in the box. Call after each swap. */
export function showResults(ctx) {
  if (ctx.sourceElement === searchBox()) {
    showOptions();
    return;
  }
  const results = byId("results");
  if (!results || !ctx.sourceElement || document.querySelector("[data-arrived]")) {
    return;
  }
  results.dataset.arrived = "true";
  announce(results.dataset.announce || "");
  if (results.dataset.q !== undefined) {
    searchBox().value = results.dataset.q;
  }
}

/* Scrolls another list to its top before its first frame, since htmx reports the swap a frame later. */
let isPushed = false;

document.addEventListener("htmx:before:swap", ({ detail }) => {
  isPushed = detail.ctx.push === "true";
});

document.addEventListener("htmx:before:settle", () => {
  if (isPushed && byId("results") && !document.querySelector("[data-arrived]")) {
    window.scrollTo({ top: 0 });
  }
});

const found = () => byId("box-popup").firstElementChild;

/* Whether the options are those of the text as it is now. */
const isCurrent = (box) => found()?.dataset.q === box.value.trim();

function showOptions() {
  const box = searchBox();
  keepActive(box);
  if (entered) {
    decide(box, entered.isNewTab);
  } else if (isWanted && document.activeElement === box) {
    byId("box-popup").hidden = false;
    box.ariaExpanded = String(optionsOf(box).length > 0);
    announce(found().dataset.announce);
  }
}

function close(box) {
  isWanted = false;
  byId("box-popup").hidden = true;
  box.ariaExpanded = "false";
  activate(box, null);
}

/* Open the chosen option or the only one, else show the list. */
function decide(box, isNewTab) {
  const option = activeOf(box) || (isCurrent(box) && found().querySelector("[data-only]"));
  entered = null;
  if (option) {
    follow(option, isNewTab);
  } else {
    box.form.requestSubmit();
  }
}

function enter(event, box) {
  event.preventDefault();
  const isNewTab = event.ctrlKey || event.metaKey;
  if (activeOf(box) || isCurrent(box) || !box.value.trim() || isTicketIn(box)) {
    decide(box, isNewTab);
  } else {
    entered = { isNewTab };
    htmx.trigger(box, "options");
  }
}

/* Escape closes the options, then clears the text, then leaves the box. */
function escape(event, box) {
  event.preventDefault();
  if (!byId("box-popup").hidden) {
    close(box);
  } else if (box.value) {
    box.value = "";
  } else {
    box.blur();
  }
}

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (box !== searchBox() || event.isComposing) {
    return;
  }
  if (event.key === "Enter") {
    enter(event, box);
  } else if (event.key === "Escape") {
    escape(event, box);
  } else if (event.key === "ArrowDown" && byId("box-popup").hidden && box.value) {
    isWanted = true;
    htmx.trigger(box, "options");
  }
});

/* Text of an input method is searched for when the composition ends. */
document.addEventListener(
  "input",
  (event) => {
    if (event.isComposing) {
      event.stopPropagation();
    } else if (event.target === searchBox()) {
      activate(event.target, null);
      isWanted = Boolean(event.target.value.trim());
      if (!isWanted) {
        close(event.target);
      }
    }
  },
  true,
);

document.addEventListener("compositionend", (event) => {
  event.target.dispatchEvent(new InputEvent("input", { bubbles: true }));
});

document.addEventListener("click", (event) => {
  const completion = event.target.closest("[data-completes]");
  if (completion) {
    const box = searchBox();
    activate(box, null);
    box.value = completion.dataset.completes;
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
});

document.addEventListener("focusout", (event) => {
  if (event.target === searchBox()) {
    close(event.target);
  }
});

document.addEventListener("submit", (event) => {
  const box = searchBox();
  if (box?.form === event.target) {
    close(box);
  }
});

/* An Enter whose options could not be loaded shows the list. */
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (entered && detail.ctx.sourceElement === searchBox()) {
    decide(searchBox(), false);
  }
});
