/* Keyboard focus across htmx swaps: when the element that has it is replaced (by a poll, by the
 * pager), its successor gets it. */

import { byId } from "./dom.js";

const ATTRIBUTES = ["data-key", "data-sort", "data-refresh", "rel", "name", "href"];

/* Describe an element so that its successor can be found after its part has been replaced. */
export function locate(element) {
  const name = ATTRIBUTES.find((attribute) => element.hasAttribute(attribute));
  return {
    element,
    part: element.closest("tr[id], #order-detail, #operation, #results, #plan, #orders")?.id,
    selector: name && `[${name}="${CSS.escape(element.getAttribute(name))}"]`,
  };
}

export function resolve({ element, part, selector }) {
  if (element.isConnected) {
    return element;
  }
  return (part && selector && byId(part)?.querySelector(selector)) || null;
}

/* The element in a row or an order's page that gets the focus if the focused one is gone. */
export function fallbackFocus(id) {
  const part = byId(id) || byId("order-detail");
  return part?.querySelector("th a, [data-refresh]") || byId("main");
}

let beforeSwap = null;

document.addEventListener("htmx:before:swap", () => {
  const focused = document.activeElement;
  beforeSwap = focused && focused !== document.body ? locate(focused) : null;
});

/* The element that got the focus when a dialog closed, since its part may be replaced later. */
let afterDialog = null;

document.addEventListener("focusin", (event) => {
  if (afterDialog && event.target !== afterDialog.element) {
    afterDialog = null;
  }
});

export function focusAfterDialog(element) {
  element.focus();
  afterDialog = locate(element);
}

/* Call after each swap. */
export function restoreFocus() {
  const lost = [beforeSwap, afterDialog].find((one) => one?.part && !one.element.isConnected);
  if (lost && (lost === beforeSwap || document.activeElement === document.body)) {
    successorOf(lost)?.focus({ preventScroll: true });
  }
  beforeSwap = null;
}

/* A row cannot have the focus itself, and the next page may not have that row. */
function successorOf(lost) {
  const part = byId(lost.part);
  return resolve(lost) || part?.querySelector(":scope > th a") || part || byId("results");
}

/* Focus the summary of a form's errors, or else the first invalid field; once for each form. */
export function focusErrors() {
  const errors = document.querySelector(".form-errors") || document.querySelector("[aria-invalid=true]");
  if (errors && !errors.dataset.seen) {
    errors.dataset.seen = "true";
    errors.focus();
  }
}
