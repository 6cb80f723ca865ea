/* Posts a ticket that is pasted into the search box, so that its text is in no URL. The server decides
 * whether a text is a ticket; this check is simpler, and mistakes no search for a ticket. */

import { cookie } from "./dom.js";

const IDENTIFIERS =
  /[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b[0-9A-Z]{24}\b|[^\s<>"',;:@]+@[^\s<>"',;:@]+/g;

/* An operator of the search language with a value, or a minus before a word. */
function hasOperator(text, operators) {
  const names = operators.replaceAll(" ", "|");
  return new RegExp(`(?:^|\\s)(?:${names}|[-\\u2010-\\u2015\\u2212])\\S*[\\p{L}\\p{N}]`, "iu").test(text);
}

const encoder = new TextEncoder();

/* Whether the text is longer than a search may be (in bytes), or has several identifiers and is no
 * one-line search. */
export function isTicketIn(box) {
  return isTicket(box.value, box.dataset);
}

function isTicket(text, { maxBytes, operators }) {
  if (encoder.encode(text).length > Number(maxBytes)) {
    return true;
  }
  const isSearch = !text.trim().includes("\n") && hasOperator(text, operators);
  return !isSearch && new Set(text.match(IDENTIFIERS)).size > 1;
}

function postTicket(text, url) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = url;
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

/* Posts a pasted, dropped or inserted ticket, before the browser removes its line breaks. */
function postInserted(event, text) {
  const box = event.target.closest?.("[data-find]");
  if (box && text && isTicket(text, box.dataset)) {
    event.preventDefault();
    postTicket(text, box.dataset.find);
  }
}

document.addEventListener("paste", (event) => {
  postInserted(event, event.clipboardData.getData("text/plain"));
});

document.addEventListener("drop", (event) => {
  postInserted(event, event.dataTransfer.getData("text/plain"));
});

document.addEventListener("beforeinput", (event) => {
  postInserted(event, event.data);
});

/* The number of characters that no person types between two events, but a program inserts. */
const TYPED_AT_ONCE = 20;
const lengths = new WeakMap();

/* Captured before htmx sends a search of it. A long text that is typed is posted by Enter. */
document.addEventListener(
  "input",
  (event) => {
    const box = event.target.closest?.("[data-find]");
    if (!box) {
      return;
    }
    const grown = box.value.length - (lengths.get(box) ?? box.defaultValue.length);
    lengths.set(box, box.value.length);
    if (isTicketIn(box)) {
      event.stopPropagation();
      if (grown > TYPED_AT_ONCE) {
        postTicket(box.value, box.dataset.find);
      }
    }
  },
  true,
);

/* Captured before htmx handles the submit. */
document.addEventListener(
  "submit",
  (event) => {
    const box = [...event.target.elements].find((one) => one.dataset.find);
    if (box && isTicketIn(box)) {
      event.preventDefault();
      event.stopPropagation();
      postTicket(box.value, box.dataset.find);
    }
  },
  true,
);
