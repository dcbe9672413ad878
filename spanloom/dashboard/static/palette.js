// The palette: finds sessions, traces, spans and users by their ID or its beginning, and goes there. A combobox as of the
// ARIA Authoring Practices: the focus stays in the field, arrow keys choose from the list.
import { localise } from "./localise.js";
import { showKeys } from "./keys.js";

const TYPING = 150; // ms
const LONGEST = 200; // characters of an ID that are shown

const WORDS = { session: "Session", trace: "Trace", span: "Span", user: "User" };
const SKIPPED = { session: "sessions", trace: "traces", span: "spans", user: "users" };

export function palette(dialog, button, keysDialog) {
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");
  const pages = [
    { kind: "Page", id: "Sessions", href: "/sessions" },
    { kind: "Page", id: "Traces", href: "/traces" },
    { kind: "Help", id: "Keys of this page", act: () => showKeys(keysDialog) },
  ];
  let options = []; // what is listed
  let active = 0;
  let asking = null; // aborts the question that is under way
  let timer = 0;
  let pending = false; // whether the list is not that of the text yet
  let going = false; // whether Enter was pressed meanwhile

  const open = () => {
    keysDialog.close();
    if (!dialog.open) dialog.showModal();
    field.select();
    ask();
  };
  button.hidden = false;
  button.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || event.ctrlKey === event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside it
  dialog.addEventListener("close", () => { stop(); going = false; });

  const stop = () => {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
    pending = false;
  };

  field.addEventListener("input", () => {
    stop();
    going = false;
    pending = true;
    timer = setTimeout(ask, TYPING);
  });

  async function ask() {
    stop();
    const text = field.value.trim();
    const fitting = pages.filter(({ id }) => id.toLowerCase().startsWith(text.toLowerCase()));
    if (!text) return show(fitting, "");
    const question = new AbortController();
    asking = question;
    pending = true;
    list.setAttribute("aria-busy", "true");
    try {
      const { hits, more, skipped } = await answer(text, question.signal);
      if (asking !== question) return undefined;
      pending = false;
      const found = hits.map((hit) => ({ ...hit, href: addressOf(hit) }));
      return show([...found, ...fitting], sentence(found.length, more, skipped));
    } catch (error) {
      if (asking !== question) return undefined;
      pending = false;
      return show(fitting, error.message, true);
    }
  }

  function show(some, words, bad = false) {
    options = some;
    list.removeAttribute("aria-busy");
    list.replaceChildren(...options.map(line));
    localise(list);
    status.textContent = words;
    status.classList.toggle("bad", bad);
    field.setAttribute("aria-expanded", String(options.length > 0));
    choose(0);
    if (going && !bad) go(active);
    going = false;
  }

  function choose(index) {
    active = index;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    const option = list.children[active];
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.scrollIntoView({ block: "nearest" });
    return field.setAttribute("aria-activedescendant", option.id);
  }

  function go(index) {
    const option = options[index];
    if (!option) return;
    dialog.close();
    if (option.act) option.act();
    else location.assign(option.href);
  }

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const last = options.length - 1;
    const moves = { ArrowDown: active < last ? active + 1 : 0, ArrowUp: active > 0 ? active - 1 : last };
    if (event.key in moves && options.length) {
      event.preventDefault();
      choose(moves[event.key]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (pending) going = true; // what was pasted is found first
      else go(active);
    } else if (event.key === "Escape") {
      event.preventDefault(); // a field of the type search would only be emptied
      dialog.close();
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the field
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) go([...list.children].indexOf(option));
  });
}

async function answer(text, signal) {
  const reply = await fetch(`/api/find?${new URLSearchParams({ q: text })}`, { signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Error("The dashboard does not answer. Try again in a moment.");
  });
  if (reply.status === 401) throw new Error("You are logged out. Load the page again to log in.");
  const body = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(body.error || `The dashboard answers with status ${reply.status}.`);
  return body;
}

function sentence(count, more, skipped) {
  const words = [];
  if (!count) words.push("Nothing has an ID that begins like this: case counts.");
  if (more) words.push("More begin like this: type more of the ID.");
  if (skipped.length) words.push(`There are too many ${skipped.map((kind) => SKIPPED[kind]).join(" and ")} to look through.`);
  return words.join(" ");
}

function addressOf({ kind, id, project_id: project, trace_id: trace }) {
  if (kind === "session") return `/session?${new URLSearchParams({ id, project })}`;
  if (kind === "trace") return `/traces/${encodeURIComponent(id)}?${new URLSearchParams({ project })}`;
  if (kind === "span") return `/traces/${encodeURIComponent(trace)}?${new URLSearchParams({ project, span: id })}`;
  return `/sessions?${new URLSearchParams({ user: id, project, range: "30d" })}`;
}

function line({ kind, id, name, project_id: project, time }, index) {
  const option = element("li", "hit");
  option.id = `hit-${index}`;
  option.setAttribute("role", "option");
  option.append(element("span", "hit-kind muted", WORDS[kind] ?? kind));
  const middle = element("span", "hit-names");
  middle.append(element("bdi", WORDS[kind] ? "mono" : "", cut(id)));
  if (name) middle.append(element("bdi", "muted small", name));
  option.append(middle);
  if (project !== undefined) {
    const end = element("span", "hit-end muted small");
    const when = element("time", "");
    when.dateTime = time;
    when.dataset.as = "ago";
    end.append(element("bdi", "", cut(project)), when);
    option.append(end);
  }
  return option;
}

const cut = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
