/* Filter panels: one is open at a time, and its first field gets the focus; a click elsewhere and
 * Escape close it. */

/* The panel that a person is opening; one that the server opened leaves the focus alone. */
let opening = null;

document.addEventListener("click", (event) => {
  const panel = event.target.closest(".pick");
  opening = event.target.closest(".pick > summary") && panel;
  for (const open of document.querySelectorAll(".pick[open]")) {
    if (open !== panel) {
      open.open = false;
    }
  }
});

/* `toggle` does not bubble. */
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target === opening && opening.open) {
      opening.querySelector("input:not([type=hidden])")?.focus();
    }
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".pick[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
