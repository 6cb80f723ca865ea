/*
 * The page's script, for behavior beyond HTML and htmx. Every link and form works without it.
 *
 * All listeners are on the document, since parts of the page are replaced.
 */

import { updateAges } from "./ages.js";
import { clearProblem } from "./answers.js";
import "./copy.js";
import "./dates.js";
import { enableSubmit, isInDialog, openDialog } from "./dialog.js";
import { byId } from "./dom.js";
import "./panels.js";
import { focusErrors, restoreFocus } from "./focus.js";
import "./keyboard.js";
import "./menus.js";
import { showCommands } from "./palette.js";
import "./paste.js";
import "./requests.js";
import { showResults } from "./search.js";
import { watchToasts } from "./toast.js";

/* Updates the title of the tab after a change of the order's status. */
function updateTitle() {
  const { tab } = byId("order-detail")?.dataset ?? {};
  if (tab) {
    document.title = [tab, ...document.title.split(" – ").slice(1)].join(" – ");
  }
}

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  if (isInDialog(ctx.target)) {
    openDialog(ctx);
  } else {
    clearProblem(ctx);
  }
  enableSubmit();
  restoreFocus();
  updateAges();
  updateTitle();
  watchToasts();
  focusErrors();
  showResults(ctx);
  showCommands(ctx);
});

updateAges();
watchToasts();
focusErrors();
byId("results")?.setAttribute("data-arrived", "true");
document.documentElement.classList.add("has-js");
/* Tells the server that the script runs: it then shows the stored copy of an order at once, and the
 * page loads a fresh read. */
document.cookie = "script=on; Path=/; SameSite=Lax";
