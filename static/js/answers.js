/* Handles requests that the dashboard did not answer: the network failed, a proxy or a portal
 * answered, or the session has ended. No part of the page is replaced then; a banner names the request
 * and the next step. Every response of the dashboard to htmx has the header X-Goody-Admin. */

import { announce, byId } from "./dom.js";

const WHOLE_PAGE = /^\s*(?:<!doctype|<html)\b/i;

/* Parts that are loaded once are requested again after a failure. */
const RELOAD_MS = 5_000;

/* Whether a timer or the focus triggered the request, rather than a person. */
function isAutomatic(element) {
  return /^(every|load|focus)/.test(element?.getAttribute("hx-trigger") || "");
}

/* Removes banners after a successful request. A request by a person removes all of them, a poll only
 * the banner about itself, since nobody may have read the others yet. Call after each swap. */
export function clearProblem({ response, sourceElement }) {
  if (response?.status < 400 && !isAutomatic(sourceElement)) {
    byId("problem").replaceChildren();
  }
}

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const name = nameOfProblem(ctx);
  if (name) {
    event.preventDefault();
    // Neither do its HX-Trigger events happen.
    ctx.hx = {};
    showProblem(name, ctx);
  } else {
    removeProblem(ctx);
  }
});

document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (ctx && error?.name !== "AbortError") {
    showProblem("answer-missing", ctx);
  }
});

function nameOfProblem(ctx) {
  const isRestore = "HX-History-Restore-Request" in ctx.request.headers;
  const isPage = WHOLE_PAGE.test(ctx.text);
  if (!ctx.response.headers.has("X-Goody-Admin") || (isPage && !isRestore)) {
    return "answer-foreign";
  }
  return ctx.response.status === 401 && !mayOpenLogin(ctx) ? "answer-session" : "";
}

/* Whether the login may replace the page: only if the person requested to leave it. */
function mayOpenLogin(ctx) {
  const isClick = ["click", "submit"].includes(ctx.sourceEvent?.type);
  return isClick && (!byId("dialog").open || isLoading());
}

/* Whether the dialog is open and still empty. */
function isLoading() {
  return byId("dialog").open && byId("dialog-body").querySelector("[data-skeleton]");
}

function showProblem(name, ctx) {
  reloadLater(ctx.sourceElement);
  const shown = bannerOf(ctx);
  const isPoll = isAutomatic(ctx.sourceElement);
  if (isPoll && document.querySelector(`.banner[data-name="${name}"]`)) {
    // Further requests that fail in the same way would show the same banner.
    return;
  }
  const banner = byId(name).content.firstElementChild.cloneNode(true);
  const fill = (slot, text) => {
    const element = banner.querySelector(`[data-slot="${slot}"]`);
    if (element) {
      element.textContent = text;
    }
  };
  fill("what", requestName(ctx));
  fill("status", ctx.response?.status ?? "");
  const login = banner.querySelector('[data-slot="login"]');
  if (login) {
    login.href = ctx.response.headers.get("HX-Redirect");
  }
  banner.querySelector(ctx.request.method === "GET" ? '[data-for="sending"]' : '[data-for="reading"]')?.remove();
  Object.assign(banner.dataset, { name, source: sourceOf(ctx) });
  shown?.remove();
  const container = containerFor(ctx);
  // It lies over the page and moves nothing, because no person made the request.
  banner.toggleAttribute("data-aside", isPoll && container === byId("problem"));
  if (container.closest("[data-skeleton]")) {
    container.replaceChildren(banner);
  } else {
    container.prepend(banner);
  }
  announce(banner.querySelector("strong").textContent.trim());
  if (!isPoll) {
    banner.scrollIntoView({ block: "nearest" });
  }
}

function removeProblem(ctx) {
  bannerOf(ctx)?.remove();
}

function bannerOf(ctx) {
  return document.querySelector(`.banner[data-source="${CSS.escape(sourceOf(ctx))}"]`);
}

function reloadLater(element) {
  if (/^load/.test(element.getAttribute("hx-trigger") || "")) {
    setTimeout(() => {
      const again = element.cloneNode(true);
      again.removeAttribute("data-htmx-powered");
      element.replaceWith(again);
      htmx.process(again);
    }, RELOAD_MS);
  }
}

function sourceOf({ sourceElement, request }) {
  return sourceElement.id || request.action;
}

/* The element in which the banner is shown: near the part that the person uses. */
function containerFor({ sourceElement, target }) {
  const dialog = byId("dialog-body");
  const isInDialog = byId("dialog").open && (dialog.contains(sourceElement) || dialog === target);
  return isInDialog ? dialog.querySelector(".dialog__body") || dialog : byId("problem");
}

function requestName({ request, sourceElement }) {
  const said = sourceElement.dataset.requests;
  const pressed = request.submitter || (sourceElement.matches("a, button") ? sourceElement : null);
  return said || pressed?.textContent.replace(/\s+/g, " ").trim() || "this page";
}
