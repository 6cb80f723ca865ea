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

/* Longer than a search may be, or several identifiers that are not part of a one-line search. */
function isTicket(text, { longest, operators }) {
  if (text.length > Number(longest)) {
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

document.addEventListener("paste", (event) => {
  const box = event.target.closest("[data-find]");
  const text = box ? event.clipboardData.getData("text/plain") : "";
  if (box && isTicket(text, box.dataset)) {
    event.preventDefault();
    postTicket(text, box.dataset.find);
  }
});

/* Captured before htmx handles the submit. */
document.addEventListener(
  "submit",
  (event) => {
    const box = [...event.target.elements].find((one) => one.dataset.find);
    if (box && isTicket(box.value, box.dataset)) {
      event.preventDefault();
      event.stopPropagation();
      postTicket(box.value, box.dataset.find);
    }
  },
  true,
);
