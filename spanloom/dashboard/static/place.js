// A list that one comes back to stands as it was left: its rows, the scroll position, and the focus on the row that was
// opened. In it, j and k move from row to row.
import { contents, keep, named, places, same } from "./kept.js";
import { keys } from "./keys.js";
import { append } from "./rows.js";

const AT_ONCE = 500; // rows that the server gives at once
const LOOK_ON = 200; // rows further that the opened one may have gone down

const address = location.pathname + location.search;
let opened = null;

const all = () => [...document.querySelectorAll("#list tbody tr")];
const find = (name) => all().find((row) => same(named(row.dataset.href), name));
const link = (row) => row.querySelector("th a");

export function rememberPlace() {
  // The browser would scroll before the rows are there.
  history.scrollRestoration = "manual";
  document.addEventListener("click", (event) => open(event.target), true);
  document.addEventListener("auxclick", (event) => open(event.target), true);
  addEventListener("pagehide", save);
  addEventListener("pageshow", (event) => event.persisted && comeBack());
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  if (["back_forward", "reload"].includes(type) || kept()?.returns) comeBack();
  keys({ j: () => step(1), k: () => step(-1) });
}

const kept = () => places().find((place) => place.address === address);

function open(target) {
  const row = target.closest?.("#list tr[data-href]");
  if (!row) return;
  opened = named(row.dataset.href);
  save();
}

function save() {
  const row = opened && find(opened);
  keep({ address, ...contents(document), opened, top: row ? row.getBoundingClientRect().top : 0, scroll: scrollY });
}

async function comeBack() {
  const place = kept();
  if (!place) return;
  keep({ ...place, returns: false });
  opened = place.opened;
  if (!(await loadUpTo(place))) return;
  const row = opened && find(opened);
  if (row) {
    link(row).focus({ preventScroll: true });
    scrollBy(0, row.getBoundingClientRect().top - place.top);
    row.classList.add("opened");
  } else {
    scrollTo(0, place.scroll);
  }
}

// Loads the rows that were there. False where somebody has scrolled or typed meanwhile: then the page is theirs.
async function loadUpTo(place) {
  let acted = false;
  const act = () => { acted = true; };
  const signs = ["wheel", "keydown", "pointerdown"];
  for (const sign of signs) addEventListener(sign, act, { passive: true, once: true });
  const most = place.rows.length + LOOK_ON;
  while (!acted && (all().length < place.rows.length || (opened && !find(opened) && all().length < most))) {
    const missing = place.rows.length - all().length;
    if (!(await append(missing > 0 ? Math.min(missing, AT_ONCE) : null))?.length) break;
  }
  for (const sign of signs) removeEventListener(sign, act);
  return !acted;
}

async function step(by) {
  const rows = all();
  const here = rows.indexOf(document.activeElement.closest?.("#list tbody tr") ?? (opened ? find(opened) : null));
  const to = here < 0 ? (by > 0 ? 0 : -1) : here + by;
  const row = rows[to] ?? (to === rows.length ? (await append())?.[0] : null);
  if (!row) return;
  link(row).focus();
}
