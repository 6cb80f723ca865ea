/* The modal dialog that htmx fills: opening, closing, and where the focus returns to. */

import { byId } from "./dom.js";
import { focusAfterDialog, inPart, locate, resolve } from "./focus.js";

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
  if (!link || theDialog().contains(link)) {
    return;
  }
  trigger = locate(event.target.closest("button") || link);
  if (link.matches("a")) {
    showSkeleton(link);
  }
});

/* Until the server answers. Its parts appear after a moment only (dialogs.css). */
function showSkeleton(link) {
  const skeleton = byId("dialog-skeleton").content.cloneNode(true);
  const title = skeleton.querySelector("h2");
  const start = title.dataset[link.dataset.key];
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

/* The answer to a dialog that has been closed since, maybe for another one, is dropped. Captured, so
 * that nothing is said of it either. */
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

/* Call after each swap: the submit button waits for the facts of a fresh read. */
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
  opener.element.removeAttribute("data-asked");
  const about = opener.element.closest("[data-about]")?.dataset.about;
  const target = resolve(opener) || inPart(about ? `order-${about}` : opener.part);
  opener = null;
  focusAfterDialog(target);
}
