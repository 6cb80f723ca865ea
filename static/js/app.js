/*
 * What plain HTML and htmx cannot: the dialog, toasts, copying, announcements, keyboard.
 *
 * Everything is delegated from the document, since parts of the page come and go. Without this
 * file every link and form still works as a page. No key and no timer here changes anything at
 * Goody: keys only follow links that are on the page.
 */

const TOAST_MS = 10_000;
const COPIED_MS = 2_000;

/* Asked for anew each time: a Back that htmx serves puts in another body. */
const byId = (id) => document.getElementById(id);
const theDialog = () => byId("dialog");
const isInDialog = (target) => target === "#dialog-body" || target?.id === "dialog-body";

document.documentElement.classList.add("has-js");

/* --- htmx -------------------------------------------------------------------------------- */

function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

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

/* The target is a selector where the server chose another one. */
function setBusy(target, isBusy) {
  if (target instanceof Element) {
    target.ariaBusy = isBusy ? "true" : null;
  }
}

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  if (isInDialog(ctx.target)) {
    openDialog();
  } else if (ctx.response?.status < 400 && !isByItself(ctx.sourceElement)) {
    byId("problem").replaceChildren();
  }
  keepFocus();
  watchToasts();
  focusErrors();
  arriveAtResults(ctx);
});

/* Asked by a timer and not by somebody, who may not have read yet what went wrong. */
function isByItself(element) {
  return /^(every|load)/.test(element?.getAttribute("hx-trigger") || "");
}

document.addEventListener("htmx:error", (event) => {
  if (event.detail.error?.name !== "AbortError") {
    say("The dashboard did not answer.");
    showOffline(theDialog().open ? byId("dialog-body") : byId("problem"));
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

/* --- the focus ----------------------------------------------------------------------------- */

const MARKS = ["data-key", "data-sort", "data-open", "data-refresh", "rel", "href"];

/* Where an element is, in words that still hold when its part of the page has been replaced. */
function placeOf(element) {
  const name = MARKS.find((mark) => element.hasAttribute(mark));
  return {
    element,
    part: element.closest("tr[id], #order-detail, #operation, #results")?.id,
    mark: name && `[${name}="${CSS.escape(element.getAttribute(name))}"]`,
  };
}

function elementAt({ element, part, mark }) {
  if (element.isConnected) {
    return element;
  }
  return (part && mark && byId(part)?.querySelector(mark)) || null;
}

/* A part that is replaced while it has the focus (a poll, the pager) gives it to its successor. */
let replaced = null;

document.addEventListener("htmx:before:swap", () => {
  const focused = document.activeElement;
  replaced = focused && focused !== document.body ? placeOf(focused) : null;
});

function keepFocus() {
  const lost = [replaced, returned].find((place) => place?.part && !place.element.isConnected);
  if (lost && (lost === replaced || document.activeElement === document.body)) {
    successorOf(lost)?.focus({ preventScroll: true });
  }
  replaced = null;
}

/* A row itself takes no focus, and it may be none of the next page's. */
function successorOf(lost) {
  const part = byId(lost.part);
  return elementAt(lost) || part?.querySelector(":scope > th [data-open]") || part || byId("results");
}

/* Where the focus went when a dialog closed: its part may be replaced only after that. */
let returned = null;

document.addEventListener("focusin", (event) => {
  if (returned && event.target !== returned.element) {
    returned = null;
  }
});

/* --- announcements ------------------------------------------------------------------------ */

function say(text) {
  byId("live").textContent = text;
}

function arriveAtResults(ctx) {
  const results = byId("results");
  const isNew = results && ctx.sourceElement && !document.querySelector("[data-arrived]");
  if (!isNew) {
    return;
  }
  results.dataset.arrived = "true";
  say(results.dataset.announce || "");
  if (ctx.push === "true") {
    window.scrollTo({ top: 0 });
  }
  fillBox(ctx.sourceElement, results);
}

/* --- the row that was opened ----------------------------------------------------------------- */

/* The list's address names it, so that every way back leads there. */
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-open]")?.closest("tr[id]");
  if (row && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    history.replaceState(history.state, "", `#${row.id}`);
  }
});

function focusOpenedRow() {
  const row = location.hash.startsWith("#order-") && byId(location.hash.slice(1));
  if (row) {
    row.querySelector("[data-open]").focus({ preventScroll: true });
  }
}

function focusErrors() {
  const errors = document.querySelector(".form-errors:not([data-seen])");
  if (errors) {
    errors.dataset.seen = "true";
    errors.focus();
  }
}

/* --- the box ------------------------------------------------------------------------------- */

const theBox = () => document.querySelector("[data-box]");

/* What is asked for stands in the box, unless somebody is writing there. */
function fillBox(source, results) {
  if (source !== theBox() && results.dataset.q !== undefined) {
    theBox().value = results.dataset.q;
  }
}

/* The pause after the last letter may end while Enter is under way: that answer is the one. */
let isSubmitting = false;

document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (sourceElement === theBox() && isSubmitting) {
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

/* --- a ticket pasted into the box ------------------------------------------------------------ */

const LONGEST_SEARCH = 500;
const NAMED =
  /[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b[0-9A-Z]{24}\b|[^\s<>"',;:@]+@[^\s<>"',;:@]+/g;
const SAID =
  /(?:^|\s)(?:(?:status|expires|created|is|batch|sender|workspace|product|brand):|[-\u2010-\u2015\u2212])\S*[\p{L}\p{N}]/iu;

/* More than a search is for? Not where an operator or a minus is used in one line: looked up would be
   whatever it names, also what it excludes. The server decides (orders/search/recognition.py), and
   finds more than this does. */
function isTicket(text) {
  if (text.length > LONGEST_SEARCH) {
    return true;
  }
  const isSearch = !text.trim().includes("\n") && SAID.test(text);
  return !isSearch && new Set(text.match(NAMED)).size > 1;
}

/* It is posted, so that it stands in no address. */
function lookUp(text, address) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  for (const [name, value] of [["text", text], ["csrfmiddlewaretoken", cookie("csrftoken")]]) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

document.addEventListener("paste", (event) => {
  const box = event.target.closest("[data-find]");
  const text = box ? event.clipboardData.getData("text/plain") : "";
  if (isTicket(text)) {
    event.preventDefault();
    lookUp(text, box.dataset.find);
  }
});

/* On its way down, before htmx hears of it. */
document.addEventListener(
  "submit",
  (event) => {
    const box = [...event.target.elements].find((one) => one.dataset.find);
    if (box && isTicket(box.value)) {
      event.preventDefault();
      event.stopPropagation();
      lookUp(box.value, box.dataset.find);
    }
  },
  true,
);

/* --- filters that are unfolded -------------------------------------------------------------- */

function foldFilters(except) {
  for (const open of document.querySelectorAll(".pick[open]")) {
    if (open !== except) {
      open.open = false;
    }
  }
}

document.addEventListener("click", (event) => {
  foldFilters(event.target.closest(".pick"));
});

document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".pick[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

/* --- the dialog ---------------------------------------------------------------------------- */

/* What was clicked to open a dialog, and what opened the one that is open: the browser tells late
 * of a dialog that was closed, when the next one may have been asked for. */
let trigger = null;
let opener = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest('[hx-target="#dialog-body"]');
  if (link && !theDialog().contains(link)) {
    trigger = placeOf(link);
  }
});

function openDialog() {
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

document.addEventListener("dialog-close", closeDialog);

document.addEventListener("click", (event) => {
  const isBackdrop = event.target === theDialog();
  if (isBackdrop || (event.target.closest("[data-dialog-close]") && theDialog().open)) {
    event.preventDefault();
    closeDialog();
  }
});

/* `close` does not bubble, but it can be captured on its way down. It may come when the next dialog
 * is open already, and that one stays. */
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

/* Back to where the dialog was opened; if that is gone, to the order it was about. */
function returnFocus() {
  if (!opener) {
    return;
  }
  const about = opener.element.closest("[data-about]")?.dataset.about;
  const part = byId(about ? `order-${about}` : opener.part) || byId("order-detail");
  const place = elementAt(opener) || part?.querySelector("[data-open], [data-refresh]");
  opener = null;
  const target = place || byId("main");
  target.focus();
  returned = placeOf(target);
}

/* --- toasts -------------------------------------------------------------------------------- */

function watchToasts() {
  for (const toast of document.querySelectorAll("[data-toast]:not([data-watched])")) {
    toast.dataset.watched = "true";
    dropOlder(toast);
    say(toast.querySelector(".toast__text").textContent.trim());
    runDown(toast);
  }
}

/* What is said of an order replaces what was said of it before, an Undo that is done above all. */
function dropOlder(toast) {
  const { about } = toast.dataset;
  for (const older of about ? document.querySelectorAll(`[data-about="${about}"]`) : []) {
    if (older !== toast) {
      older.remove();
    }
  }
}

/* A toast waits while somebody reads it: under the pointer, or with the focus in it. */
function runDown(toast) {
  let timer = setTimeout(() => dismiss(toast), TOAST_MS);
  const pause = () => clearTimeout(timer);
  const resume = () => {
    clearTimeout(timer);
    timer = setTimeout(() => dismiss(toast), TOAST_MS);
  };
  toast.addEventListener("mouseenter", pause);
  toast.addEventListener("focusin", pause);
  toast.addEventListener("mouseleave", resume);
  toast.addEventListener("focusout", resume);
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

/* --- copying ------------------------------------------------------------------------------- */

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    event.preventDefault();
    copy(button);
  }
});

async function copy(button) {
  const place = button.querySelector("[data-copy-text]") || button;
  const label = place.dataset.label || place.textContent;
  const name = button.ariaLabel || label.trim();
  place.dataset.label = label;
  clearTimeout(place.dataset.timer);
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    place.textContent = "Copied";
    say(`${name}: copied`);
  } catch {
    place.textContent = "Could not copy";
    say("The browser did not allow copying");
  }
  place.dataset.timer = setTimeout(() => {
    place.textContent = label;
  }, COPIED_MS);
}

/* --- keyboard ------------------------------------------------------------------------------ */

let isGoing = false;

function isTyping(target) {
  return target.closest("input, select, textarea, [contenteditable]") !== null;
}

function rows() {
  return [...document.querySelectorAll("tr[data-order-id]")];
}

function currentRow() {
  return document.activeElement?.closest("tr[data-order-id]");
}

function step(by) {
  const all = rows();
  if (all.length === 0) {
    return;
  }
  const now = all.indexOf(currentRow());
  const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by;
  all[Math.min(Math.max(next, 0), all.length - 1)].querySelector("[data-open]").focus();
}

function follow(selector, root = document) {
  root?.querySelector(selector)?.click();
}

const KEYS = {
  "/": () => theBox()?.select(),
  j: () => (rows().length ? step(1) : follow('.walk [rel="next"]')),
  k: () => (rows().length ? step(-1) : follow('.walk [rel="prev"]')),
  e: () => follow('[data-key="e"]', currentRow() || pageWithoutRows()),
  c: () => follow('[data-key="c"]', currentRow() || pageWithoutRows()),
  y: () => follow('[data-key="y"]'),
  r: () => follow("[data-refresh]"),
  "[": () => follow('.pager [rel="prev"]'),
  "]": () => follow('.pager [rel="next"]'),
  "?": () => byId("shortcuts").showModal(),
};

/* On a list, `e` and `c` need a chosen row; on an order's page there is only the one order. */
function pageWithoutRows() {
  return rows().length === 0 ? document : null;
}

function go(key) {
  const link = [...document.querySelectorAll("[data-go]")].find((one) => one.dataset.go === key);
  link?.click();
}

document.addEventListener("keydown", (event) => {
  const isWanted = document.documentElement.hasAttribute("data-shortcuts");
  const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
  if (!isWanted || !isOurs || isTyping(event.target) || document.querySelector("dialog[open]")) {
    return;
  }
  if (isGoing) {
    isGoing = false;
    go(event.key);
  } else if (event.key === "g") {
    isGoing = true;
    setTimeout(() => {
      isGoing = false;
    }, 1500);
  } else if (Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

watchToasts();
focusErrors();
/* Not before: the browser itself moves the focus away when it has gone to the row. */
window.addEventListener("load", () => requestAnimationFrame(focusOpenedRow));
byId("results")?.setAttribute("data-arrived", "true");
