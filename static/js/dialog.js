/* The modal dialog that htmx fills: opening, closing, and returning the focus. */

import { byId } from "./dom.js";
import { focusAfterDialog, fallbackFocus, locate, resolve } from "./focus.js";

const theDialog = () => byId("dialog");

/* The link that was clicked last to open a dialog, and the link that opened the present one. They
 * differ if the browser's `close` event of a dialog arrives after the next one was requested. */
let trigger = null;
let opener = null;

export function isInDialog(target) {
  return target === "#dialog-body" || target?.id === "dialog-body";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest('[hx-target="#dialog-body"]');
  if (!link || theDialog().contains(link)) {
    return;
  }
  trigger = locate(event.target.closest("button") || link);
  if (link.matches("a")) {
    showSkeleton(link);
  }
});

/* Shows a skeleton until the server answers. Its parts appear after a moment only (dialogs.css). */
function showSkeleton(link) {
  const skeleton = byId("dialog-skeleton").content.cloneNode(true);
  const title = skeleton.querySelector("h2");
  const start = title.dataset[link.pathname.split("/").at(-2)];
  const name = link.closest("tr, main").querySelector("th a, h1");
  title.textContent = start ? `${start} ${name.textContent.trim()}` : link.textContent.trim();
  byId("dialog-body").replaceChildren(skeleton);
  show();
}

function show() {
  theDialog().scrollTop = 0;
  if (!theDialog().open) {
    opener = trigger;
    opener?.element.setAttribute("data-asked", "");
    theDialog().showModal();
  }
}

/* Call when htmx has filled the dialog. */
export function openDialog({ request }) {
  const body = byId("dialog-body");
  if (request.method === "GET" && !theDialog().open) {
    // It was closed between the answer and the swap.
    body.replaceChildren();
    return;
  }
  show();
  const first =
    body.querySelector(".form-errors") ||
    body.querySelector("[autofocus]") ||
    body.querySelector("button, a[href], input:not([type=hidden])");
  first?.focus();
  // htmx may have focused it already, before it was scrolled to the top.
  first?.scrollIntoView({ block: "nearest" });
}

/* Drops the response to a dialog that has been closed since. Captured, so that no other listener
 * handles the response. */
document.addEventListener(
  "htmx:after:request",
  (event) => {
    const { request, sourceElement, target } = event.detail.ctx;
    const isWanted = theDialog().open && (theDialog().contains(sourceElement) || sourceElement === opener?.element);
    if (isInDialog(target) && request.method === "GET" && !isWanted) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true,
);

/* Enables the submit button when the snapshot of a fresh read has arrived. Call after each swap. */
export function enableSubmit() {
  const submit = byId("dialog-submit");
  if (submit?.hasAttribute("aria-describedby") && byId("dialog-snapshot").hasAttribute("data-fresh")) {
    submit.disabled = false;
    submit.removeAttribute("aria-describedby");
  }
}

function closeDialog() {
  if (theDialog().open) {
    theDialog().close();
  }
}

/* Sent by the server (HX-Trigger) when a write is done. */
document.addEventListener("dialog-close", closeDialog);

/* The element on which the pointer was pressed: a text selection may end on the backdrop. */
let pressed = null;

document.addEventListener("pointerdown", (event) => {
  pressed = event.target;
});

/* Whether the form has input or errors: then a click on the backdrop does not close the dialog. */
function isEdited() {
  const fields = [...byId("dialog-body").querySelectorAll("input, textarea")];
  return (
    byId("dialog-body").querySelector(".form-errors") ||
    fields.some((one) => one.value !== one.defaultValue || one.checked !== one.defaultChecked)
  );
}

document.addEventListener("click", (event) => {
  const isBackdrop = [event.target, pressed].every((one) => one === theDialog()) && !isEdited();
  if (isBackdrop || (event.target.closest("[data-dialog-close]") && theDialog().open)) {
    event.preventDefault();
    closeDialog();
  }
});

/* `close` does not bubble, so it is captured. It may arrive when the next dialog is open already,
 * and that one stays. */
document.addEventListener(
  "close",
  (event) => {
    if (event.target === theDialog() && !theDialog().open) {
      byId("dialog-body").replaceChildren();
      returnFocus();
    }
  },
  true,
);

/* Returns the focus to the element that opened the dialog, or else to its order. */
function returnFocus() {
  if (!opener) {
    return;
  }
  opener.element.removeAttribute("data-asked");
  const about = opener.element.closest("[data-about]")?.dataset.about;
  const target = resolve(opener) || fallbackFocus(about ? `order-${about}` : opener.part);
  opener = null;
  focusAfterDialog(target);
}
