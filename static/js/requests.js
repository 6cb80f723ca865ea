/* Behavior of all requests: the CSRF token, the busy state, links that open in a new tab. */

import { cookie } from "./dom.js";

/* Copies the CSRF token from the cookie into a form, because a login in another tab replaces the
 * token. Captured, so that htmx reads the new one. */
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

/* htmx also handles clicks with Ctrl, Cmd or Shift, which must open a tab or window instead. */
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
