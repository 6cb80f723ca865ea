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

/* Show a dialog. Its content is in a template until it is shown for the first time. */
export function showDialog(id) {
  const template = byId(id).querySelector("template");
  template?.replaceWith(template.content);
  byId(id).showModal();
}

/* Request a link's URL by htmx and fill the target with the response. The server chooses the part of
 * the page by the target. */
export function fill(target, link, options) {
  const headers = { "HX-Target": `${target.localName}#${target.id}` };
  return htmx.ajax("GET", link.href, { source: link, target, headers, ...options });
}
