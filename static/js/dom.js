/* Helpers shared by the modules of the page's script. */

/* Looked up each time: Back replaces the body. */
export const byId = (id) => document.getElementById(id);

export function cookie(name) {
  const pair = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return pair ? decodeURIComponent(pair.slice(name.length + 1)) : "";
}

/* Announce a text to screen readers. */
export function announce(text) {
  byId("live").textContent = text;
}

export function follow(selector, root = document) {
  root?.querySelector(selector)?.click();
}
