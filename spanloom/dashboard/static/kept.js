// What a tab remembers of the lists it showed: where they stood, in sessionStorage, which ends with the tab. Where
// storage is off, nothing is remembered and nothing else changes.
const NAME = "places";
const MOST = 5; // lists

// A place: { address, rows: [[project, ID], …], next, opened, top, scroll }, the list shown last first.
//   address  path and query of the list
//   next     the address of the rows behind the loaded ones; null at the end
//   opened   what was opened last, [project, ID]; null
//   top      where that row stood, px from the top of the window
//   returns  whether a link back to it was followed
export function places() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME));
    return Array.isArray(kept) ? kept.filter((place) => isList(place?.address) && Array.isArray(place.rows)) : [];
  } catch {
    return [];
  }
}

// Keeps a place as the one shown last.
export function keep(place) {
  const others = places().filter((other) => other.address !== place.address);
  try {
    sessionStorage.setItem(NAME, JSON.stringify([place, ...others].slice(0, MOST)));
  } catch {
    // Off, or full: then the lists begin at the top.
  }
}

export const isList = (address) => /^\/(sessions|traces)(\?|$)/.test(address);

// The project and ID of a session or trace, from the address of its page.
export function named(href) {
  const { pathname, searchParams } = new URL(href, location.origin);
  const project = searchParams.get("project") ?? "";
  return pathname === "/session" ? [project, searchParams.get("id") ?? ""] : [project, decodeURIComponent(pathname.slice(8))];
}

export const same = (one, other) => Boolean(one && other) && one[0] === other[0] && one[1] === other[1];

// What a part of a list holds: its rows by name, and where it goes on.
export function contents(list) {
  const next = list.querySelector("a[data-more]");
  return {
    rows: [...list.querySelectorAll("tr[data-href]")].map((row) => named(row.dataset.href)),
    next: next && next.getAttribute("href"),
  };
}

// A setting that outlives the tab; sets it where a value is given. Null where it has none or storage is off.
export function setting(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
