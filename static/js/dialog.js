/* The modal dialog that htmx fills: opening, closing, and where the focus returns to. */

import { byId } from "./dom.js";
import { focusAfterDialog, locate, resolve } from "./focus.js";

const theDialog = () => byId("dialog");

/* What was clicked last to open a dialog, and what opened the one that is open. They differ while
 * the browser's late `close` event of one dialog arrives after the next has been requested. */
let trigger = null;
let opener = null;

export function isInDialog(target) {
  return target === "#dialog-body" || target?.id === "dialog-body";
}

document.addEventListener("click", (event) => {
  const link = event.target.closest('[hx-target="#dialog-body"]');
  if (link && !theDialog().contains(link)) {
    trigger = locate(link);
  }
});

/* Call when htmx has filled the dialog. */
export function openDialog() {
  const body = byId("dialog-body");
  theDialog().scrollTop = 0;
  if (!theDialog().open) {
    opener = trigger;
    theDialog().showModal();
  }
  const first =
    body.querySelector(".form-errors") ||
    body.querySelector("[autofocus]") ||
    body.querySelector("button, a[href], input:not([type=hidden])");
  first?.focus();
}

function closeDialog() {
  if (theDialog().open) {
    theDialog().close();
  }
}

/* Sent by the server (HX-Trigger) when a write is done. */
document.addEventListener("dialog-close", closeDialog);

/* Where the pointer went down: selecting text may end on the backdrop. */
let pressed = null;

document.addEventListener("pointerdown", (event) => {
  pressed = event.target;
});

/* Errors are shown only when something was typed before. */
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

/* To the element that opened the dialog; if that is gone, to the order it was about. */
function returnFocus() {
  if (!opener) {
    return;
  }
  const about = opener.element.closest("[data-about]")?.dataset.about;
  const part = byId(about ? `order-${about}` : opener.part) || byId("order-detail");
  const target = resolve(opener) || part?.querySelector("[data-open], [data-refresh]");
  opener = null;
  focusAfterDialog(target || byId("main"));
}
