/* Copy buttons: the text in `data-copy` goes to the clipboard, the label says so for a moment. */

import { announce } from "./dom.js";

const LABEL_MS = 2_000;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    event.preventDefault();
    copy(button);
  }
});

async function copy(button) {
  const labeled = button.querySelector("[data-copy-text]") || button;
  const label = labeled.dataset.label || labeled.textContent;
  const name = button.ariaLabel || label.trim();
  labeled.dataset.label = label;
  clearTimeout(labeled.dataset.timer);
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    labeled.textContent = "Copied";
    announce(`${name}: copied`);
  } catch {
    labeled.textContent = "Could not copy";
    announce("The browser did not allow copying");
  }
  labeled.dataset.timer = setTimeout(() => {
    labeled.textContent = label;
  }, LABEL_MS);
}
