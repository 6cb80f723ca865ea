/* The expiration dialog: a typed date deselects the options, and an option clears the typed date. */

import { byId } from "./dom.js";

const typed = () => byId("id_expiration_custom");

document.addEventListener("input", ({ target }) => {
  if (target !== typed()) {
    return;
  }
  for (const option of target.form.querySelectorAll(".chip input")) {
    option.checked = !target.value && option.defaultChecked;
  }
  // The preview still belongs to the former text, until the server has read the new one.
  target.form.elements.understood?.remove();
  byId("dialog-submit-typed").textContent = target.dataset.submit;
});

document.addEventListener("change", ({ target }) => {
  if (target.matches(".chip input")) {
    typed().value = "";
  } else if (target.matches('[name="expiration_day"]') && target.value) {
    typed().value = target.value;
    target.value = "";
    typed().dispatchEvent(new Event("input", { bubbles: true }));
    typed().focus();
  }
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-picker]")?.nextElementSibling.showPicker();
});
