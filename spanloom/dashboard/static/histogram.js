// Reads the histogram out under the pointer or the arrow keys, and zooms in: a click or Enter on one part, a drag over
// several.
import { count, plain, usd } from "./localise.js";

let data = null;
let focused = -1;

export function histogram(root) {
  histogramAgain();
  root.addEventListener("pointermove", (event) => {
    const svg = event.target.closest?.("svg.bars");
    if (svg && data) read(svg, placeOf(svg, event));
    else if (focused >= 0 && !document.activeElement?.closest("svg.bars")) forget();
  });
  root.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest?.("svg.bars");
    if (svg && data && event.button === 0 && event.pointerType !== "touch") select(svg, event);
  });
  root.addEventListener("keydown", (event) => {
    const svg = event.target.closest?.("svg.bars");
    if (!svg || !data) return;
    const last = data.buckets.length - 1;
    const to = { ArrowLeft: Math.max(0, focused - 1), ArrowRight: Math.min(last, focused + 1), Home: 0, End: last }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      document.querySelector("[data-readout]").setAttribute("aria-live", "polite");
      read(svg, to);
    } else if (event.key === "Enter" && focused >= 0) zoom(focused, focused);
  });
  root.addEventListener("focusout", (event) => event.target.closest?.("svg.bars") && forget());
}

// Called after the figure was replaced.
export function histogramAgain() {
  const figure = document.querySelector(".histogram");
  data = figure ? JSON.parse(figure.dataset.buckets) : null;
  focused = -1;
}

function placeOf(svg, event) {
  const box = svg.getBoundingClientRect();
  const place = Math.floor(((event.clientX - box.left) / box.width) * data.buckets.length);
  return Math.min(data.buckets.length - 1, Math.max(0, place));
}

function read(svg, place) {
  focused = place;
  const [start, number, cost, errors] = data.buckets[place];
  const end = start + data.seconds * 1000;
  const text = `${plain(start)} – ${plain(end)}: ${count(number)} ${data.label}, ${usd(cost)}, ${count(errors)} errors`;
  show(text);
  for (const cursor of document.querySelectorAll(".bars .cursor")) {
    cursor.setAttribute("x", place * 10);
    cursor.setAttribute("visibility", "visible");
  }
}

// In place of the line about the whole range.
function show(text) {
  const readout = document.querySelector("[data-readout]");
  if (!readout) return;
  readout.textContent = text;
  document.querySelector("[data-overview]").hidden = Boolean(text);
}

function forget() {
  focused = -1;
  show("");
  for (const cursor of document.querySelectorAll(".bars .cursor")) cursor.setAttribute("visibility", "hidden");
}

function select(svg, down) {
  const from = placeOf(svg, down);
  let to = from;
  const area = svg.querySelector(".selected");
  svg.setPointerCapture(down.pointerId);
  const move = (event) => {
    to = placeOf(svg, event);
    area.setAttribute("x", Math.min(from, to) * 10);
    area.setAttribute("width", (Math.abs(to - from) + 1) * 10);
    area.setAttribute("visibility", "visible");
  };
  const end = (event) => {
    svg.removeEventListener("pointermove", move);
    svg.removeEventListener("pointerup", end);
    svg.removeEventListener("pointercancel", end);
    area.setAttribute("visibility", "hidden");
    if (event.type === "pointerup") zoom(Math.min(from, to), Math.max(from, to));
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
}

function zoom(first, last) {
  if (data.seconds <= 1 && first === last) return;
  const address = new URL(location.href);
  for (const name of ["range", "cursor"]) address.searchParams.delete(name);
  address.searchParams.set("from", new Date(data.buckets[first][0]).toISOString());
  address.searchParams.set("to", new Date(data.buckets[last][0] + data.seconds * 1000).toISOString());
  location.assign(address);
}
