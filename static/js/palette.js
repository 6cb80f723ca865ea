/* The command palette, which is filtered by typing. The server lists pages and views; the actions of
 * the present page are added when the palette opens. */

import { activate, activeOf, follow, optionsOf } from "./combobox.js";
import { byId, showDialog } from "./dom.js";
import { currentRow } from "./rows.js";

/* The actions of a page with their keys; actions on an order's page have theirs in `data-key`. */
const HERE = {
  "[data-key]": "",
  '.actions [href$="/expiration/"]': "e",
  '.actions [href$="/cancel/"]': "c",
  "[data-refresh]": "r",
  '.pager [rel="prev"]': "[",
  '.pager [rel="next"]': "]",
  '.neighbors [rel="prev"]': "k",
  '.neighbors [rel="next"]': "j",
};

/* The element that each of these commands presses. */
let pressed = new Map();

export function openCommands() {
  const field = byId("commands-field");
  byId("commands-here").replaceChildren(...pageCommands());
  htmx.trigger(byId("commands-all"), "commands");
  byId("commands").showModal();
  field.value = "";
  filter(field);
}

/* On a list, the actions of the current row. */
function pageCommands() {
  const row = currentRow();
  const elements = [...document.querySelectorAll(Object.keys(HERE))].filter((one) => [null, row].includes(one.closest("tr")));
  pressed = new Map();
  return elements.map((element, number) => {
    const option = byId("command").content.firstElementChild.cloneNode(true);
    option.id = `command-here-${number}`;
    option.firstElementChild.textContent = nameOf(element);
    option.lastElementChild.textContent = keyOf(element);
    pressed.set(option, element);
    return option;
  });
}

/* The name of a command: the title, such as "Next order (j)", or else the text of the link. */
function nameOf(element) {
  const title = /^(.+) \(.\)$/.exec(element.title)?.[1];
  return element.ariaLabel || title || element.textContent.replace(/\s+/g, " ").trim();
}

function keyOf(element) {
  return element.dataset.key || HERE[Object.keys(HERE).find((one) => element.matches(one))];
}

function filter(field) {
  const words = field.value.toLowerCase().split(/\s+/);
  for (const option of byId("commands-options").querySelectorAll('[role="option"]')) {
    option.hidden = !words.every((word) => option.textContent.toLowerCase().includes(word));
  }
  activate(field, optionsOf(field)[0]);
}

document.addEventListener("input", ({ target }) => {
  if (target.id === "commands-field") {
    filter(target);
  }
});

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (target.id === "commands-field" && key === "Enter" && !event.isComposing) {
    event.preventDefault();
    if (activeOf(target)) {
      follow(activeOf(target), event.ctrlKey || event.metaKey);
    }
  }
});

document.addEventListener("click", ({ target }) => {
  const option = target.closest("#commands [role=option]");
  if (option) {
    byId("commands").close();
    (pressed.get(option) || byId(option.dataset.presses))?.click();
  }
  const shown = target.closest("[data-shows]")?.dataset.shows;
  if (shown === "commands") {
    openCommands();
  } else if (shown) {
    showDialog(shown);
  }
});

/* Call after each swap. */
export function showCommands(ctx) {
  if (ctx.target === byId("commands-all")) {
    filter(byId("commands-field"));
  }
}
