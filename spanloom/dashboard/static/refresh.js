// The list refreshes itself without jumping. While somebody is at it (pointer or focus on the rows, a selection, scrolled
// down), known rows get their new values in place, and a button says that the list has changed; else it changes.
import { histogramAgain } from "./histogram.js";
import { count, localise } from "./localise.js";
import { setting } from "./kept.js";
import { fetchPart, notify } from "./part.js";

const EVERY = 5000; // ms, at least
const PAUSE = 10; // times as long as the answer took: an expensive view is asked for less often
const MOST = 500; // rows that the server gives at once

let waiting = null; // a newer list that is not shown yet
let asking = false;

export function refreshing(button) {
  let live = setting("live") !== "off";
  const show = () => button.setAttribute("aria-pressed", String(live));
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    live = !live;
    setting("live", live ? "on" : "off");
    show();
    if (live) refresh(button);
  });
  const again = async () => {
    const began = performance.now();
    if ((live || inTrouble()) && !document.hidden) await refresh(button);
    setTimeout(again, Math.max(EVERY, PAUSE * (performance.now() - began)));
  };
  setTimeout(again, EVERY);
  document.addEventListener("visibilitychange", () => live && !document.hidden && refresh(button));
  document.addEventListener("pointerout", (event) => {
    // Not where it goes to the button, which would be gone before the click.
    const left = event.target.closest?.("tbody") && !event.relatedTarget?.closest?.("tbody, .pill");
    if (waiting && left && !held()) apply(waiting);
  });
}

const current = () => document.getElementById("list");
const inTrouble = () => current().dataset.state === "trouble";

async function refresh(button) {
  if (asking) return;
  asking = true;
  try {
    const shown = current().querySelectorAll("tbody tr").length;
    const address = new URL(location.href);
    if (shown) address.searchParams.set("limit", Math.min(Math.max(shown, 50), MOST));
    const fresh = await fetchPart(address);
    delete button.dataset.state;
    notify("");
    localise(fresh);
    take(fresh);
  } catch (error) {
    button.dataset.state = "trouble";
    if (!inTrouble()) notify(`${error.message.replace(/\.?$/, ".")} What you see is as of the last answer.`);
  } finally {
    asking = false;
  }
}

function take(fresh) {
  const state = fresh.dataset.state;
  if (state !== current().dataset.state || state !== "rows" || !current().querySelector("tbody") || !fresh.querySelector("tbody")) {
    if (fresh.outerHTML !== current().outerHTML) current().replaceWith(fresh);
    histogramAgain();
    return;
  }
  replaceFigure(fresh);
  if (!changed(fresh)) {
    update(fresh);
    offer(null);
  } else if (held()) {
    update(fresh);
    offer(fresh);
  } else {
    apply(fresh);
  }
}

function held() {
  const body = current().querySelector("tbody");
  const selection = getSelection();
  return body.matches(":hover") || body.contains(document.activeElement)
    || (!selection.isCollapsed && body.contains(selection.anchorNode))
    || body.getBoundingClientRect().top < 48;
}

const keys = (list) => [...list.querySelectorAll("tbody tr")].map((row) => row.dataset.key);

function changed(fresh) {
  const [before, after] = [keys(current()), keys(fresh)];
  return after.some((key, place) => before[place] !== key);
}

// Known rows get their new values where they are.
function update(fresh) {
  const now = new Map([...fresh.querySelectorAll("tbody tr")].map((row) => [row.dataset.key, row]));
  for (const row of current().querySelectorAll("tbody tr")) {
    const newer = now.get(row.dataset.key);
    if (newer) morph(row, newer);
  }
  const total = fresh.querySelector(".pager > span");
  const own = current().querySelector(".pager > span");
  if (total && own && total.innerHTML !== own.innerHTML && keys(fresh).length >= keys(current()).length) own.innerHTML = total.innerHTML;
}

// Cell by cell, so that what did not change keeps its focus and hover.
function morph(row, newer) {
  [...newer.cells].forEach((cell, place) => {
    const old = row.cells[place];
    if (old && old.outerHTML !== cell.outerHTML && !old.contains(document.activeElement)) old.replaceWith(cell.cloneNode(true));
  });
}

function apply(fresh) {
  const list = current();
  const body = list.querySelector("tbody");
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const wanted = [...fresh.querySelectorAll("tbody tr")];
  const beyond = known.size > MOST ? [...body.rows].slice(MOST) : [];
  const next = wanted.map((newer) => {
    const row = known.get(newer.dataset.key);
    if (!row) {
      const added = newer.cloneNode(true);
      added.classList.add("fresh");
      return added;
    }
    morph(row, newer);
    return row;
  });
  const listed = new Set(next);
  body.replaceChildren(...next, ...beyond.filter((row) => !listed.has(row)));
  if (!beyond.length) list.querySelector("[data-pager]").replaceWith(fresh.querySelector("[data-pager]").cloneNode(true));
  else list.querySelector("[data-shown]").textContent = count(body.rows.length);
  offer(null);
}

function replaceFigure(fresh) {
  const [own, newer] = [current().querySelector(".histogram"), fresh.querySelector(".histogram")];
  if (!own || !newer || own.matches(":hover, :focus-within") || own.dataset.buckets === newer.dataset.buckets) return;
  own.replaceWith(newer.cloneNode(true));
  histogramAgain();
}

function offer(fresh) {
  waiting = fresh;
  const there = document.querySelector(".pill");
  if (!fresh) return there?.remove();
  if (there) return undefined;
  const pill = document.createElement("div");
  pill.className = "pill";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "The list has changed: show";
  button.addEventListener("click", () => {
    scrollTo({ top: 0 });
    apply(waiting);
  });
  pill.append(button);
  current().querySelector(".table-frame").before(pill);
  return undefined;
}
