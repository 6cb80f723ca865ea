/* A field with a list of options: the search box, the list of commands. The focus stays in the
 * field; the arrow keys move the active option. */

import { byId } from "./dom.js";

export function optionsOf(field) {
  const list = byId(field.getAttribute("aria-controls"));
  return [...(list?.querySelectorAll('[role="option"]') || [])].filter((one) => !one.hidden);
}

export function activeOf(field) {
  return byId(field.getAttribute("aria-activedescendant"));
}

/* Identifies an option among newer ones: its URL without the query, which may have changed. */
const keyOf = (option) => `${option.pathname} ${option.textContent}`;

export function activate(field, option) {
  activeOf(field)?.setAttribute("aria-selected", "false");
  field.removeAttribute("aria-activedescendant");
  if (option) {
    option.ariaSelected = "true";
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
    field.dataset.active = keyOf(option);
  }
}

/* Call after the options were replaced: the active option stays active if it is still there. */
export function keepActive(field) {
  const isActive = field.hasAttribute("aria-activedescendant");
  activate(field, isActive && optionsOf(field).find((one) => keyOf(one) === field.dataset.active));
}

/* Moves the active option; beyond the first and the last option none is active. */
function move(field, step) {
  const all = optionsOf(field);
  const now = all.indexOf(activeOf(field));
  activate(field, all[now < 0 && step < 0 ? all.length - 1 : now + step]);
}

export function follow(option, isNewTab) {
  if (isNewTab && option.href) {
    window.open(option.href, "_blank", "noopener");
  } else {
    option.click();
  }
}

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isWalk = (key === "ArrowDown" || key === "ArrowUp") && target.ariaExpanded === "true";
  if (isWalk && target.role === "combobox" && !event.isComposing) {
    event.preventDefault();
    move(target, key === "ArrowDown" ? 1 : -1);
  }
});

/* The focus stays in the field when an option is pressed. */
document.addEventListener("mousedown", (event) => {
  if (event.target.closest('[role="option"]')) {
    event.preventDefault();
  }
});
