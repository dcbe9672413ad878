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
    append(more);
  });
}

function open(event) {
  const row = event.target.closest?.("tr[data-href]");
  if (!row || event.target.closest("a, button") || event.button > 1 || !getSelection().isCollapsed) return;
  if (event.button === 1 || event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else location.assign(row.dataset.href);
}

async function append(more) {
  if (more.getAttribute("aria-disabled")) return;
  more.setAttribute("aria-disabled", "true");
  try {
    const list = await fetchPart(more.href);
    const body = document.querySelector("#list tbody");
    const known = new Set([...body.rows].map((row) => row.dataset.key));
    const fresh = [...list.querySelectorAll("tbody tr")].filter((row) => !known.has(row.dataset.key));
    body.append(...fresh);
    localise(body);
    const next = list.querySelector("a[data-more]");
    if (next) more.replaceWith(next);
    else more.remove();
    document.querySelector("[data-shown]").textContent = count(body.rows.length);
    fresh[0]?.querySelector("a")?.focus({ preventScroll: true });
    notify("");
  } catch (error) {
    more.removeAttribute("aria-disabled");
    notify(error.message);
  }
}
