// The parts of a span's panel as tabs. Without scripts they stand one below the other.
import { failure, fetchFragment } from "./fragment.js";

let last = "Messages"; // the tab that stays chosen from span to span

export function spanPanes(panel) {
  const bar = panel.querySelector(".tabs");
  const panes = [...panel.querySelectorAll(".pane")];
  if (bar.childNodes.length) return show(panes, bar, last);
  bar.hidden = false;
  for (const pane of panes) {
    const { tab, count } = pane.dataset;
    const button = document.createElement("button");
    button.type = "button";
    button.id = `tab-${tab}-${panel.dataset.span}`; // several panels stand on the page of a session
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", `pane-${tab}-${panel.dataset.span}`);
    button.textContent = count === undefined ? tab : `${tab} ${count}`;
    button.addEventListener("click", () => { last = tab; show(panes, bar, tab); });
    bar.append(button);
    pane.id = `pane-${tab}-${panel.dataset.span}`;
    pane.setAttribute("role", "tabpanel");
    pane.setAttribute("aria-labelledby", button.id);
  }
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = panes.findIndex((pane) => !pane.hidden);
    const next = panes[(at + step + panes.length) % panes.length];
    last = next.dataset.tab;
    show(panes, bar, last);
    bar.children[panes.indexOf(next)].focus();
  });
  show(panes, bar, last);
}

function show(panes, bar, tab) {
  panes.forEach((pane, at) => {
    const open = pane.dataset.tab === tab;
    pane.hidden = !open;
    const button = bar.children[at];
    button.setAttribute("aria-selected", String(open));
    button.tabIndex = open ? 0 : -1;
    if (open && pane.dataset.raw) raw(pane);
    if (open && pane.dataset.part) part(pane);
  });
}

// A part that the server renders, fetched when it is looked at.
async function part(pane) {
  const address = pane.dataset.part;
  delete pane.dataset.part;
  try {
    const found = await fetchFragment(address);
    pane.querySelector("p")?.remove();
    pane.append(found.querySelector(".explanation"));
  } catch (error) {
    pane.append(failure(error, () => { pane.dataset.part = address; part(pane); }));
  }
}

// The whole span as JSON, fetched when it is looked at.
async function raw(pane) {
  const address = pane.dataset.raw;
  delete pane.dataset.raw;
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) {
    pane.dataset.raw = address;
    return;
  }
  const text = document.createElement("pre");
  text.className = "raw";
  text.dir = "ltr";
  text.tabIndex = 0;
  text.textContent = JSON.stringify(await answer.json(), null, 2);
  pane.append(text);
}
