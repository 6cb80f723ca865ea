/* The search box: its text, and requests that overtake each other. */

import { announce, byId } from "./dom.js";

export const searchBox = () => document.querySelector("[data-box]");

/* Call after each swap: new results are announced, and the box shows what they answer unless
 * somebody is typing there. */
export function showResults(ctx) {
  const results = byId("results");
  if (!results || !ctx.sourceElement || document.querySelector("[data-arrived]")) {
    return;
  }
  results.dataset.arrived = "true";
  announce(results.dataset.announce || "");
  if (ctx.push === "true") {
    window.scrollTo({ top: 0 });
  }
  if (ctx.sourceElement !== searchBox() && results.dataset.q !== undefined) {
    searchBox().value = results.dataset.q;
  }
}

/* Text that an input method is composing is searched for when it is finished. */
document.addEventListener(
  "input",
  (event) => {
    if (event.isComposing) {
      event.stopPropagation();
    }
  },
  true,
);

document.addEventListener("compositionend", (event) => {
  event.target.dispatchEvent(new InputEvent("input", { bubbles: true }));
});

/* While a submitted search is under way, the one that typing would send is dropped. */
let isSubmitting = false;

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (sourceElement === searchBox() && isSubmitting) {
    event.preventDefault();
  } else if (sourceElement.id === "filters") {
    isSubmitting = true;
  }
});

document.addEventListener("htmx:finally:request", (event) => {
  if (event.detail.ctx.sourceElement.id === "filters") {
    isSubmitting = false;
  }
});
