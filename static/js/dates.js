/* The dates of the expiration dialog and of the preview of a bulk extension: a typed date deselects the
 * options, and an option clears the typed date. */

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
  const label = byId("dialog-submit-typed");
  if (label) {
    label.textContent = target.dataset.submit;
  }
  const submit = document.querySelector("#confirm [type=submit]");
  if (submit) {
    submit.disabled = true;
  }
});

/* Each typed text has been requested at its input. A second request when the field is left would disable
 * the button that is being pressed. */
document.addEventListener(
  "change",
  (event) => {
    if (event.target === typed()) {
      event.stopPropagation();
    }
  },
  true,
);

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
