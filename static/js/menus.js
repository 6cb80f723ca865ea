/* Menus (details.menu) close by Escape, and by a click elsewhere or on one of their links. */

const openMenu = () => document.querySelector("details.menu[open]");

document.addEventListener("click", (event) => {
  const menu = openMenu();
  if (menu && (!menu.contains(event.target) || event.target.closest("a"))) {
    menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && openMenu();
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
