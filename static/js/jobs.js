/* While a job of the person runs: its progress in the title of the tab. */

import { byId } from "./dom.js";

function showProgress() {
  // After Back, the page may show a job that has ended.
  const title = byId("job-status")?.dataset.title ?? "";
  document.title = document.title.replace(/^(\(.*?\) )?/, title);
}

document.addEventListener("htmx:after:swap", showProgress);
showProgress();
