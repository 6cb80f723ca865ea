/* Toasts: they are announced, and dismissed after a while unless the pointer or the focus is on them. */

import { announce, byId } from "./dom.js";
import { fallbackFocus } from "./focus.js";

const SHOWN_MS = 10_000;

/* Call after each swap, which may contain toasts. */
export function watchToasts() {
  for (const toast of document.querySelectorAll("[data-toast]:not([data-watched])")) {
    toast.dataset.watched = "true";
    removeOlder(toast);
    announce(toast.querySelector(".toast__text").textContent.trim());
    dismissLater(toast);
  }
}

/* A toast replaces an earlier one about the same order, for example after an Undo. */
function removeOlder(toast) {
  const { about } = toast.dataset;
  for (const older of about ? document.querySelectorAll(`[data-about="${about}"]`) : []) {
    if (older !== toast) {
      older.remove();
      // Its Undo had the focus, until it was disabled.
      if (document.activeElement === document.body) {
        fallbackFocus(`order-${about}`).focus();
      }
    }
  }
}

/* The timer stops while the pointer is over the toast or the focus is in it. */
function dismissLater(toast) {
  let timer;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    timer = setTimeout(() => dismiss(toast), SHOWN_MS);
  };
  toast.addEventListener("mouseenter", stop);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("mouseleave", start);
  toast.addEventListener("focusout", start);
  start();
}

function dismiss(toast) {
  const hadFocus = toast.contains(document.activeElement);
  toast.remove();
  if (hadFocus) {
    byId("main").focus();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-dismiss]");
  if (button) {
    dismiss(button.closest("[data-toast]"));
  }
});
