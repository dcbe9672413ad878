// The trace page: a tree of which only the lines in sight are elements, so 20,000 spans scroll like twenty; and the
// panel of the chosen span, fetched when it is chosen.
import { copyButtons } from "./copy.js";
import { count, seconds, usd } from "./localise.js";
import { failure, fetchFragment } from "./fragment.js";
import { spanPanes } from "./panes.js";
import { say } from "./say.js";

const LINE = 28; // px; the same in trace.css
const LEAST = 4; // lines that the tree has room for
const AROUND = 12; // lines rendered above and below those in sight
const OPEN_LEVELS = 3; // that "Fold" leaves open
const INDENT = 14; // px
const DEEPEST = 20; // levels that are indented
const KEEP = 40; // panels
const SETTLE = 120; // ms that a span must stay chosen before its panel is fetched

const page = document.querySelector(".trace-page");
const tree = document.getElementById("tree");
const panel = document.getElementById("panel");
const filter = document.getElementById("tree-filter");
const data = JSON.parse(document.getElementById("tree-data").textContent);
const spans = data.rows.map((row, index) => Object.assign(
  Object.fromEntries(data.columns.map((name, column) => [name, row[column]])), { index, open: true },
));

// --- which lines there are
let lines = []; // indices into spans, of those that are not folded away
let places = new Map(); // from such an index to its line
let chosen = 0;
let wanted = ""; // the lower-case text of the filter

function matches(span) {
  return [span.name, span.type, span.model, span.service, span.id].some((text) => text.toLowerCase().includes(wanted));
}

function arrange() {
  lines = [];
  if (wanted) {
    const kept = new Set();
    const path = [];
    for (const span of spans) {
      path.length = span.depth;
      path.push(span.index);
      span.hit = matches(span);
      if (span.hit) for (const index of path) kept.add(index);
    }
    lines = [...kept].sort((one, other) => one - other);
  } else {
    for (let index = 0; index < spans.length;) {
      lines.push(index);
      index += spans[index].open ? 1 : spans[index].below + 1;
    }
  }
  places = new Map(lines.map((index, line) => [index, line]));
  spacer.style.height = `${lines.length * LINE}px`;
  tree.style.height = `${Math.max(LEAST, lines.length) * LINE}px`;
  tree.setAttribute("aria-description", `${lines.length} of ${spans.length} spans shown`);
  draw(true);
}

// --- drawing
const spacer = document.createElement("div");
spacer.className = "tree-spacer";
spacer.setAttribute("role", "none");
tree.append(spacer);
const drawn = new Map(); // from a line to its element

function draw(anew = false) {
  if (anew) {
    for (const element of drawn.values()) element.remove();
    drawn.clear();
  }
  const first = Math.max(0, Math.floor(tree.scrollTop / LINE) - AROUND);
  const last = Math.min(lines.length, Math.ceil((tree.scrollTop + tree.clientHeight) / LINE) + AROUND);
  for (const [line, element] of drawn) {
    if (line < first || line >= last) {
      element.remove();
      drawn.delete(line);
    }
  }
  for (let line = first; line < last; line++) {
    if (!drawn.has(line)) {
      const element = lineOf(spans[lines[line]], line);
      drawn.set(line, element);
      spacer.append(element);
    }
  }
  const active = drawn.get(places.get(chosen));
  if (active) tree.setAttribute("aria-activedescendant", active.id);
  else tree.removeAttribute("aria-activedescendant");
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const KNOWN = ["LLM", "TOOL", "AGENT", "EMBEDDING", "CHAIN", "RETRIEVER"];
const kind = (span) => (KNOWN.includes(span.type) ? span.type : "OTHER");
const percent = (part) => `${((100 * part) / (data.length || 1)).toFixed(3)}%`;

function lineOf(span, line) {
  const row = element("div", "line");
  row.id = `line-${span.index}`;
  row.dataset.index = span.index;
  row.style.top = `${line * LINE}px`;
  row.setAttribute("role", "treeitem");
  row.setAttribute("aria-level", span.depth + 1);
  row.setAttribute("aria-selected", String(span.index === chosen));
  if (span.below) row.setAttribute("aria-expanded", String(span.open || wanted !== ""));
  if (span.status === "error") row.classList.add("failed");
  if (span.hit && wanted) row.classList.add("hit");
  const tokens = span.tokens_in || span.tokens_out
    ? `${count(span.tokens_in)} → ${count(span.tokens_out)}`
    : span.tokens_unsplit ? count(span.tokens_unsplit) : "";
  const unknown = data.reasons[span.unknown]; // why its cost is not known; empty where it is
  const cost = unknown ? "?" : span.cost ? usd(span.cost) : "";
  const long = seconds(span.duration / 1000);
  row.setAttribute("aria-label", [
    span.name || "unnamed", span.type, long, tokens && `${tokens} tokens`,
    unknown ? `cost unknown: ${unknown}` : cost, span.status === "error" && "failed",
    span.orphan && "its parent is missing",
  ].filter(Boolean).join(", "));
  row.title = `${span.name}\n${span.type}${span.model ? ` · ${span.model}` : ""}${span.service ? ` · ${span.service}` : ""}`
    + `${unknown ? `\nCost unknown: ${unknown}` : ""}`
    + `${span.orphan ? "\nIts parent is missing: it may still come" : ""}`;

  const name = element("span", "line-name");
  name.style.paddingInlineStart = `${Math.min(span.depth, DEEPEST) * INDENT}px`;
  name.append(element("span", span.below ? "twist" : "twist leaf", span.below ? (span.open || wanted ? "▾" : "▸") : ""));
  name.append(element("span", `dot type-${kind(span)}`, span.type.slice(0, 1)));
  name.append(element("bdi", "", span.name || "unnamed"));
  if (span.orphan) name.append(element("span", "muted orphan", "⤴"));
  if (!span.open && !wanted) name.append(element("span", "muted", `+${count(span.below)}`));
  row.append(name, element("span", "tree-numbers", tokens), element("span", "tree-numbers", cost),
    element("span", "tree-numbers", long));
  const track = element("span", "track");
  const bar = element("span", `bar type-${kind(span)}`);
  bar.style.left = percent(span.start);
  bar.style.width = percent(span.duration);
  track.append(bar);
  row.append(track);
  return row;
}

function ruler() {
  const box = document.getElementById("ruler");
  for (const part of [0, 0.25, 0.5, 0.75]) {
    const mark = element("span", "", seconds((data.length * part) / 1000));
    mark.style.left = `${part * 100}%`;
    box.append(mark);
  }
}

// --- choosing
const panels = new Map();
let fetching = null;
let settle = 0;

function choose(index, show = true) {
  if (index === undefined || !spans[index]) return;
  const before = drawn.get(places.get(chosen));
  chosen = index;
  before?.setAttribute("aria-selected", "false");
  reveal(index);
  drawn.get(places.get(index))?.setAttribute("aria-selected", "true");
  const address = new URL(location.href);
  address.searchParams.set("span", spans[index].id);
  history.replaceState(null, "", address);
  if (show) {
    clearTimeout(settle);
    settle = setTimeout(() => showPanel(spans[index].id), panels.has(spans[index].id) ? 0 : SETTLE);
  }
}

function reveal(index) {
  if (!places.has(index)) {
    if (wanted) {
      filter.value = wanted = "";
    }
    for (const parent of ancestors(index)) spans[parent].open = true;
    arrange();
  }
  const top = places.get(index) * LINE;
  const below = top + LINE - tree.scrollTop - tree.clientHeight;
  const above = tree.scrollTop - top;
  // A step scrolls by a line, a leap puts the line into the middle.
  if (above > 2 * LINE || below > 2 * LINE) tree.scrollTop = top - tree.clientHeight / 2;
  else if (above > 0) tree.scrollTop = top;
  else if (below > 0) tree.scrollTop += below;
  draw();
}

function ancestors(index) {
  const above = [];
  let depth = spans[index].depth;
  for (let at = index - 1; at >= 0 && depth > 0; at--) {
    if (spans[at].depth < depth) {
      above.push(at);
      depth = spans[at].depth;
    }
  }
  return above;
}

async function showPanel(id) {
  fetching?.abort();
  const kept = panels.get(id);
  if (kept) return put(kept);
  fetching = new AbortController();
  panel.setAttribute("aria-busy", "true");
  const address = `/traces/${page.dataset.trace}/spans/${id}?${new URLSearchParams({ project: page.dataset.project })}`;
  try {
    const part = await fetchFragment(address, fetching.signal);
    const made = part.querySelector(".panel");
    panels.set(id, made);
    if (panels.size > KEEP) panels.delete(panels.keys().next().value);
    put(made);
  } catch (error) {
    if (error.name === "AbortError") return;
    panel.replaceChildren(failure(error, () => showPanel(id)));
  }
  panel.removeAttribute("aria-busy");
}

function put(made) {
  panel.replaceChildren(made);
  panel.scrollTop = 0;
  panel.removeAttribute("aria-busy");
  spanPanes(made);
}

function fold(span, open) {
  if (!span.below || wanted || span.open === open) return;
  span.open = open;
  arrange();
}

// --- keys and clicks
const KEYS = {
  ArrowDown: (line) => choose(lines[Math.min(line + 1, lines.length - 1)]),
  ArrowUp: (line) => choose(lines[Math.max(line - 1, 0)]),
  Home: () => choose(lines[0]),
  End: () => choose(lines[lines.length - 1]),
  PageDown: (line) => choose(lines[Math.min(line + inSight(), lines.length - 1)]),
  PageUp: (line) => choose(lines[Math.max(line - inSight(), 0)]),
  ArrowRight: (line) => {
    const span = spans[chosen];
    if (span.below && !span.open && !wanted) fold(span, true);
    else if (span.below) choose(lines[line + 1]);
  },
  ArrowLeft: () => {
    const span = spans[chosen];
    if (span.below && span.open && !wanted) fold(span, false);
    else choose(ancestors(chosen)[0]);
  },
  Enter: () => { showPanel(spans[chosen].id); panel.focus(); panel.scrollIntoView({ block: "nearest" }); },
  " ": () => fold(spans[chosen], !spans[chosen].open),
  "*": () => all(true),
};
const inSight = () => Math.max(1, Math.floor(tree.clientHeight / LINE) - 1);

tree.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act || !lines.length) return;
  event.preventDefault();
  act(places.get(chosen) ?? 0);
});
tree.addEventListener("click", (event) => {
  const row = event.target.closest(".line");
  if (!row) return;
  const index = Number(row.dataset.index);
  if (event.target.closest(".twist:not(.leaf)")) fold(spans[index], !spans[index].open);
  choose(index);
});
tree.addEventListener("scroll", () => requestAnimationFrame(() => draw()), { passive: true });
new ResizeObserver(() => draw()).observe(tree);
panel.addEventListener("keydown", (event) => { if (event.key === "Escape") tree.focus(); });
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    filter.focus();
  }
  if (event.key === "n") nextError();
});

function nextError() {
  const failed = spans.filter((span) => span.status === "error");
  if (!failed.length) return say("No span of this trace failed");
  const next = failed.find((span) => span.index > chosen) ?? failed[0];
  choose(next.index);
}

function all(open, levels = 0) {
  for (const span of spans) span.open = open || span.depth < levels;
  arrange();
  if (!places.has(chosen)) choose(ancestors(chosen).findLast((index) => places.has(index)) ?? 0);
  else reveal(chosen);
}

filter.addEventListener("input", () => {
  wanted = filter.value.trim().toLowerCase();
  tree.scrollTop = 0;
  arrange();
});
filter.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    filter.value = wanted = "";
    arrange();
    reveal(chosen);
  }
  if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    tree.focus();
    choose(lines.find((index) => spans[index].hit) ?? lines[0]);
  }
});

const buttons = { "next-error": nextError, unfold: () => all(true), refold: () => all(false, OPEN_LEVELS) };
for (const [id, act] of Object.entries(buttons)) {
  const button = document.getElementById(id);
  button.hidden = id === "next-error" && !spans.some((span) => span.status === "error");
  button.addEventListener("click", act);
}
filter.hidden = false;
ruler();
arrange();
const start = spans.find((span) => span.id === tree.dataset.chosen);
if (start) {
  chosen = start.index;
  arrange();
  reveal(chosen);
}
const first = panel.querySelector(".panel");
if (first) {
  panels.set(first.dataset.span, first);
  spanPanes(first);
}
copyButtons(document);
