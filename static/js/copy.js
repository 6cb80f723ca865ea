/* Copy buttons: they copy the text in `data-copy` to the clipboard, and their label confirms it for a
 * moment. Copying or expanding an element with `data-access` is recorded on the server. */

import { announce, cookie } from "./dom.js";

const LABEL_MS = 2_000;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    event.preventDefault();
    copy(button);
  }
});

document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.open && event.target.dataset.access) {
      record(event.target);
    }
  },
  true,
);

function record(element) {
  const { access, accessUrl } = element.dataset;
  if (accessUrl) {
    const body = new URLSearchParams({ kind: access, csrfmiddlewaretoken: cookie("csrftoken") });
    // A failure of the record changes nothing on the page.
    fetch(accessUrl, { method: "POST", body, keepalive: true }).catch(() => {});
  }
}

async function copy(button) {
  // The shortcut may copy from a closed menu, which is opened to show the confirmation.
  button.closest("details")?.setAttribute("open", "");
  const labeled = button.querySelector("[data-copy-text]") || button;
  const label = labeled.dataset.label ?? labeled.textContent;
  const name = button.ariaLabel || label.trim();
  labeled.dataset.label = label;
  clearTimeout(labeled.dataset.timer);
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    labeled.textContent = "Copied";
    record(button);
    announce(`${name}: copied`);
  } catch {
    labeled.textContent = "Could not copy";
    announce("The browser did not allow copying");
  }
  labeled.dataset.timer = setTimeout(() => {
    labeled.textContent = label;
  }, LABEL_MS);
}
