// The rows of a list: a click anywhere on one opens it, and further rows come below.
import { count, localise } from "./localise.js";
import { notify } from "./notices.js";
import { fetchPart } from "./part.js";

export function rows(root) {
  root.addEventListener("click", open);
  root.addEventListener("auxclick", open);
  root.addEventListener("click", (event) => {
    const more = event.target.closest?.("a[data-more]");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    append().then((fresh) => fresh?.[0]?.querySelector("a").focus({ preventScroll: true }));
  });
}

function open(event) {
  const row = event.target.closest?.("tr[data-href]");
  if (!row || event.target.closest("a, button") || event.button > 1 || !getSelection().isCollapsed) return;
  if (event.button === 1 || event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else location.assign(row.dataset.href);
}

// Adds the rows that come next: as many as the list gives at once, or up to `limit`. Returns them, or null where there
// are none to be had: at the end, while others are on their way, or where it failed, which is said.
export async function append(limit = null) {
  const more = document.querySelector("#list a[data-more]");
  if (!more || more.getAttribute("aria-disabled")) return null;
  more.setAttribute("aria-disabled", "true");
  try {
    const address = new URL(more.href);
    if (limit) address.searchParams.set("limit", limit);
    const list = await fetchPart(address);
    const body = document.querySelector("#list tbody");
    const known = new Set([...body.rows].map((row) => row.dataset.key));
    const fresh = [...list.querySelectorAll("tbody tr")].filter((row) => !known.has(row.dataset.key));
    body.append(...fresh);
    localise(body);
    const next = list.querySelector("a[data-more]");
    if (next) {
      if (limit) next.href = withLimitOf(more, next);
      more.replaceWith(next);
    } else {
      more.remove();
    }
    document.querySelector("[data-shown]").textContent = count(body.rows.length);
    notify("");
    return fresh;
  } catch (error) {
    more.removeAttribute("aria-disabled");
    notify(error.message);
    return null;
  }
}

// The address of the next rows, as many at once as before.
function withLimitOf(before, next) {
  const address = new URL(next.href, location.href);
  const limit = new URL(before.href).searchParams.get("limit");
  if (limit) address.searchParams.set("limit", limit);
  else address.searchParams.delete("limit");
  return address.pathname + address.search;
}
