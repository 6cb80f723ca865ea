/* Updates ages such as "just now" and "2 min ago" as formats.elapsed_minutes does. `data-age` is the
 * age in seconds when the server rendered it, so that the browser's clock does not matter. */

const UNITS = [
  [31_536_000, "y"],
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];
const UPDATE_MS = 10_000;

const arrived = new WeakMap();

/* Call after each swap, which may contain new ages. */
export function updateAges() {
  const now = Date.now();
  for (const element of document.querySelectorAll("[data-age]")) {
    arrived.set(element, arrived.get(element) ?? now);
    const words = inWords(Number(element.dataset.age) + (now - arrived.get(element)) / 1000);
    if (element.textContent !== words) {
      element.textContent = words;
    }
  }
}

function inWords(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [];
  return unit ? `${Math.floor(seconds / size)} ${unit} ago` : "just now";
}

setInterval(updateAges, UPDATE_MS);
