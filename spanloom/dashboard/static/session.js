// The session page: more cards as one scrolls, the timeline, the search, jumps to a card.
import { copyButtons } from "./copy.js";
import { failure, fetchFragment } from "./fragment.js";
import { watchForNews } from "./news.js";
import { say } from "./say.js";
import { timeline } from "./timeline.js";
import { turns } from "./turn.js";

const page = document.querySelector("[data-session]");
const cards = document.getElementById("cards");
const found = document.getElementById("found");
const form = document.getElementById("search");
const AT_ONCE = 50;
const AT_A_JUMP = 100;
const TYPING = 250; // ms

const parameters = (more) => new URLSearchParams({ id: page.dataset.session, project: page.dataset.project, ...more });

// --- cards
let loading = null;

function more(limit = AT_ONCE) {
  loading ??= load(limit).finally(() => { loading = null; watch(); });
  return loading;
}

async function load(limit) {
  const link = cards.querySelector(".next-cards");
  if (!link) return false;
  link.textContent = "Loading…";
  link.setAttribute("aria-busy", "true");
  try {
    link.replaceWith(await fetchFragment(`/session/cards?${parameters({ cursor: link.dataset.cursor, limit })}`));
    return true;
  } catch (error) {
    link.textContent = "The next traces";
    link.removeAttribute("aria-busy");
    link.hidden = true;
    cards.append(failure(error, () => { link.hidden = false; more(); }));
    return false;
  }
}

const nearTheEnd = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) more();
}, { rootMargin: "800px" });

function watch() {
  nearTheEnd.disconnect();
  const link = cards.querySelector(".next-cards:not([hidden])");
  if (link) nearTheEnd.observe(link);
}

cards.addEventListener("click", (event) => {
  if (!event.target.closest(".next-cards")) return;
  event.preventDefault();
  more();
});
watch();

async function jump(trace, number) {
  let card = document.getElementById(`trace-${trace}`);
  while (!card) {
    const last = Number(cards.querySelector(".card:last-of-type")?.dataset.number ?? 0);
    if (number && number <= last) break;
    say(`Going to trace ${number || ""}…`);
    if (!(await more(AT_A_JUMP))) break;
    card = document.getElementById(`trace-${trace}`);
  }
  if (!card) return say("That trace is not on this page", true);
  card.scrollIntoView({ block: "start" });
  card.focus({ preventScroll: true });
  card.classList.remove("jumped");
  requestAnimationFrame(() => card.classList.add("jumped"));
  history.replaceState(null, "", `#trace-${trace}`);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#trace-']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  jump(link.dataset.trace, Number(link.dataset.number));
});
const asked = location.hash.match(/^#trace-([0-9a-f]+)$/);
if (asked) jump(asked[1], 0);

// --- search
let typing = 0;
let searching = null;

function asks() {
  const values = [...new FormData(form)].filter(([name, value]) => value !== "" && !["id", "project", "view"].includes(name));
  return Object.fromEntries(values);
}

function remember(name, value) {
  const address = new URL(location.href);
  if (value) address.searchParams.set(name, value);
  else address.searchParams.delete(name);
  history.replaceState(null, "", address);
}

async function search() {
  searching?.abort();
  searching = new AbortController();
  const wanted = asks();
  const filters = Object.keys(wanted).filter((name) => name !== "q").length;
  document.getElementById("filter-count").textContent = filters || "";
  for (const element of form.elements) {
    if (element.name && !["id", "project", "view"].includes(element.name)) remember(element.name, wanted[element.name] ?? "");
  }
  remember("cursor", "");
  if (!Object.keys(wanted).length) {
    found.hidden = true;
    found.replaceChildren();
    return;
  }
  found.hidden = false;
  found.setAttribute("aria-busy", "true");
  if (!found.childNodes.length) found.textContent = "Searching…";
  try {
    found.replaceChildren(await fetchFragment(`/session/search?${parameters(wanted)}`, searching.signal));
    await goOn(searching.signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    found.replaceChildren(failure(error, search));
  }
  found.removeAttribute("aria-busy");
}

// An answer looks through some traces; where none of them matches, the next ones are searched without being asked for.
async function goOn(signal) {
  let next = found.querySelector(".next-found");
  while (next && !found.querySelector(".match")) {
    found.replaceChildren(await fetchFragment(part(next.href), signal));
    next = found.querySelector(".next-found");
  }
}

const part = (address) => `/session/search${new URL(address).search}`;

form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, TYPING); });
found.addEventListener("click", async (event) => {
  const next = event.target.closest(".next-found");
  if (!next) return;
  event.preventDefault();
  const address = part(next.href);
  next.textContent = "Searching…";
  try {
    next.replaceWith(await fetchFragment(address));
  } catch (error) {
    next.replaceWith(failure(error, search));
  }
});

// --- keys and menus
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    form.elements.q.focus();
  }
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open], details.filters[open]");
    if (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.filters[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});
copyButtons(document);
turns(cards);
timeline(
  document.getElementById("timeline"), document.getElementById("timeline-toggle"),
  () => `/session/timeline?${parameters()}`, remember,
);
watchForNews(page);
