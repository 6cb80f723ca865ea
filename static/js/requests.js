/* What every request shares: the CSRF token, the busy state, links that open in a new tab. */

import { cookie } from "./dom.js";

/* The token in a form is as old as the page; the cookie's is renewed by a login in another tab.
 * Captured, so that htmx reads the renewed one. */
document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.elements.csrfmiddlewaretoken;
    if (field) {
      field.value = cookie("csrftoken") || field.value;
    }
  },
  true,
);

/* htmx takes clicks on its links even with Ctrl, Cmd or Shift, so that they open no tab. */
document.addEventListener(
  "click",
  (event) => {
    const isModified = event.ctrlKey || event.metaKey || event.shiftKey;
    if (isModified && event.target.closest("a[href]")) {
      event.stopPropagation();
    }
  },
  true,
);

document.addEventListener("htmx:before:request", (event) => {
  setBusy(event.detail.ctx.target, true);
});

document.addEventListener("htmx:finally:request", (event) => {
  setBusy(event.detail.ctx.target, false);
});

/* The target is a selector when the server has chosen another one. */
function setBusy(target, isBusy) {
  if (target instanceof Element) {
    target.ariaBusy = isBusy ? "true" : null;
  }
}
