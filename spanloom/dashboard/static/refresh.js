// The list refreshes itself without jumping. While somebody is at it (pointer or focus on the rows, a selection, scrolled
// down), known rows get their new values in place, and a button says that the list has changed; else it changes. Where no
// answer comes, it says so, and from when what one sees is.
import { histogramAgain } from "./histogram.js";
import { count, localise, plain } from "./localise.js";
import { setting } from "./kept.js";
import { notify } from "./notices.js";
import { fetchPart } from "./part.js";

const EVERY = 5000; // ms, at least
const LATE = 4000; // ms after which an answer is missed
const PAUSE = 10; // times as long as the answer took: an expensive view is asked for less often
const MOST = 500; // rows that the server gives at once

let waiting = null; // a newer list that is not shown yet
let asking = false;
let passes = false; // what went wrong with the last answer passes by itself
let seen = Date.now(); // when the server gave what one sees

export function refreshing(button) {
  let live = setting("live") !== "off";
  const show = () => button.setAttribute("aria-pressed", String(live));
  button.hidden = false;
  if (inTrouble()) button.dataset.state = "trouble";
  show();
  button.addEventListener("click", () => {
    live = !live;
    setting("live", live ? "on" : "off");
    show();
    if (live) refresh(button);
  });
  let before = 0; // ms that the answer before took
  const again = async () => {
    const began = performance.now();
    if ((live || inTrouble()) && !document.hidden) await refresh(button);
    const took = performance.now() - began;
    // How long an outage lets one wait says nothing of how expensive the view is, and nor does one answer behind it.
    setTimeout(again, passes ? EVERY : Math.max(EVERY, PAUSE * Math.min(before, took)));
    before = passes ? 0 : took;
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
  const late = setTimeout(() => miss(button), LATE);
  try {
    const shown = current().querySelectorAll("tbody tr").length;
    const address = new URL(location.href);
    if (shown) address.searchParams.set("limit", Math.min(Math.max(shown, 50), MOST));
    const fresh = await fetchPart(address);
    delete button.dataset.state;
    passes = false;
    seen = Date.now();
    notify("");
    localise(fresh);
    take(fresh);
  } catch (error) {
    passes = Boolean(error.passes);
    button.dataset.state = "trouble";
    tell(error.message.replace(/\.?$/, "."));
  } finally {
    clearTimeout(late);
    asking = false;
  }
}

// No answer yet. Where the last one was a failure, that stands until there is another.
function miss(button) {
  if (button.dataset.state) return;
  button.dataset.state = "late";
  tell("There is no answer yet.");
}

function tell(what) {
  if (!inTrouble()) notify(`${what} What you see is from ${plain(seen)}.`);
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
