/* Filter panels: one is open at a time; a click elsewhere and Escape close it. */

document.addEventListener("click", (event) => {
  const panel = event.target.closest(".pick");
  for (const open of document.querySelectorAll(".pick[open]")) {
    if (open !== panel) {
      open.open = false;
    }
  }
});

document.addEventListener("keydown", (event) => {
  const open = document.querySelector(".pick[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});
