/* Offers the browser's time zone on the settings page, unless it is the chosen one. */

import { byId } from "./dom.js";

const offer = byId("browser-zone");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/* The browser's name of a zone, which may be a former one. */
function browserName(name) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return name;
  }
}

if (zone && zone !== browserName(offer.dataset.zone)) {
  offer.querySelector("button").value = zone;
  offer.querySelector("[data-slot]").textContent = zone.replaceAll("_", " ");
  offer.hidden = false;
}
