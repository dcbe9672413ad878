// On the page of a session or trace: the way back to the list that one came from, and to its neighbours there.
import { contents, isList, keep, named, places, same } from "./kept.js";
import { keys } from "./keys.js";
import { fetchPart } from "./part.js";
import { say } from "./say.js";

const PATHS = { "/sessions": "Sessions", "/traces": "Traces" };

export function siblings(tools) {
  const page = document.querySelector("[data-session], [data-trace][data-project]");
  const crumb = document.querySelector("a[data-list]");
  if (!crumb) return;
  let place = places()[0] ?? referred();
  if (!place) return;
  const path = place.address.split("?")[0];
  crumb.href = place.address;
  crumb.textContent = PATHS[path];
  crumb.addEventListener("click", () => keep({ ...place, returns: true }));
  keys({ u: () => crumb.click() });
  const kind = path === "/sessions" ? "session" : "trace";
  const { session, trace, project } = page.dataset;
  if ((kind === "session" ? session : trace) === undefined) return;
  const here = [project, kind === "session" ? session : trace];
  const index = () => place.rows.findIndex((row) => same(row, here));

  const [before, after] = tools.querySelectorAll("button");
  const show = () => {
    const at = index();
    tools.hidden = at < 0;
    before.disabled = at <= 0;
    after.disabled = at < 0 || (at === place.rows.length - 1 && !place.next);
    if (at < 0) return;
    // The list, when one comes back to it, stands at what was looked at last.
    place = { ...place, opened: here };
    keep(place);
  };
  const go = async (by) => {
    const at = index();
    if (at < 0) return;
    try {
      if (at + by === place.rows.length && place.next) await goOn();
    } catch (error) {
      say(error.message, true);
      return;
    }
    const to = place.rows[at + by];
    if (!to) {
      show();
      say(by > 0 ? `That was the last ${kind} of the list` : `That was the first ${kind} of the list`);
      return;
    }
    keep({ ...place, opened: to });
    location.assign(addressOf(kind, to));
  };
  // The next page of the list; those that have moved down meanwhile are not listed twice.
  const goOn = async () => {
    const { rows, next } = contents(await fetchPart(place.next));
    place = { ...place, rows: [...place.rows, ...rows.filter((row) => !place.rows.some((known) => same(known, row)))], next };
    keep(place);
  };
  before.title = `Previous ${kind} of the list (k)`;
  after.title = `Next ${kind} of the list (j)`;
  for (const button of [before, after]) button.setAttribute("aria-label", button.title.replace(/ \(.\)$/, ""));
  before.addEventListener("click", () => go(-1));
  after.addEventListener("click", () => go(1));
  keys({ j: () => go(1), k: () => go(-1) });
  if (place.rows.length) show();
  else goOn().then(show, () => {}); // a tab of its own: without neighbours, then
}

// A page that was opened in a tab of its own remembers nothing, but is told where the link stood.
function referred() {
  const { origin, pathname, search } = new URL(document.referrer || location.href);
  const address = pathname + search;
  if (origin !== location.origin || !isList(address)) return null;
  return { address, rows: [], next: address, opened: null, top: 0, scroll: 0 };
}

function addressOf(kind, [project, id]) {
  const where = new URLSearchParams(kind === "session" ? { id, project } : { project });
  return kind === "session" ? `/session?${where}` : `/traces/${encodeURIComponent(id)}?${where}`;
}
