/* What every htmx request shares: the CSRF token, the busy state, a server that does not answer. */

import { announce, byId, cookie } from "./dom.js";

document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  if (request.method !== "GET") {
    request.headers["X-CSRFToken"] = cookie("csrftoken");
  }
});

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

/* Requested by a timer, not by a person. */
export function isAutomatic(element) {
  return /^(every|load)/.test(element?.getAttribute("hx-trigger") || "");
}

/* A person's next successful request removes the banner about the one that failed; a poll does
 * not, since nobody may have read it yet. */
export function clearProblem({ response, sourceElement }) {
  if (response?.status < 400 && !isAutomatic(sourceElement)) {
    byId("problem").replaceChildren();
  }
}

document.addEventListener("htmx:error", (event) => {
  if (event.detail.error?.name !== "AbortError") {
    announce("The dashboard did not answer.");
    showOffline(byId("dialog").open ? byId("dialog-body") : byId("problem"));
  }
});

/* The server cannot be reached at all, so that the words cannot come from there. */
function showOffline(place) {
  const banner = document.createElement("div");
  banner.className = "banner banner--bad";
  banner.setAttribute("role", "alert");
  banner.dataset.offline = "true";
  banner.textContent =
    "The dashboard did not answer. If you were changing an order, reload the page and look at it before you try again.";
  place.querySelector("[data-offline]")?.remove();
  place.prepend(banner);
}
