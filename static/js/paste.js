/* A ticket in the search box is posted, so that its text is in no URL. The server decides what a
 * ticket is; this is a cheaper guess that takes no search for one. */

import { cookie } from "./dom.js";

const IDENTIFIERS =
  /[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b[0-9A-Z]{24}\b|[^\s<>"',;:@]+@[^\s<>"',;:@]+/g;

/* An operator of the search language with a value, or a minus before a word. */
function hasOperator(text, operators) {
  const names = operators.replaceAll(" ", "|");
  return new RegExp(`(?:^|\\s)(?:${names}|[-\\u2010-\\u2015\\u2212])\\S*[\\p{L}\\p{N}]`, "iu").test(text);
}

const encoder = new TextEncoder();

/* Longer than a search may be, in bytes; or several identifiers that are not part of a one-line
 * search. */
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

/* Pasted, dropped or inserted: the text before the browser drops its line breaks. */
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

/* Nobody types so many characters between two events: a program put them there. */
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
