/* While a job of the person runs: its progress in the title of the tab. */

import { byId } from "./dom.js";

function showProgress() {
  // Back may lead to a page of after its end.
  const title = byId("job-status")?.dataset.title ?? "";
  document.title = document.title.replace(/^(\(.*?\) )?/, title);
}

document.addEventListener("htmx:after:swap", showProgress);
showProgress();
