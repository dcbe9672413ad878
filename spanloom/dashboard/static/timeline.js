// The session page's timeline: an axis for the width there is, numbers where there is room, tooltips, zoom and pan.
// The server draws the bars; places and widths are percent of the drawing, so that zooming only makes it wider.
import { failure, fetchFragment } from "./fragment.js";
import { clock, day, exact } from "./localise.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST = 256; // times as wide as the box
const STEP = 1.6; // a press of a button or key
const NUMBER = 9; // px a digit of a bar's number, with some room
const DRAG = 5; // px; less is a click
const BETWEEN = 84; // px from one time on the axis to the next, at least
const DATED = 124; // px from one that tells the day, too
const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800]; // s
const DAY = 86400; // s

// Makes the timeline in `box` open, and close again; `remember` keeps in the address that it is open.
export function timeline(box, toggle, addressOf, remember) {
  const tip = document.createElement("div");
  tip.className = "timeline-tip";
  tip.setAttribute("aria-hidden", "true"); // the bars' labels say the same
  tip.hidden = true;
  const parts = []; // one a page of traces, each with a zoom of its own

  toggle.addEventListener("click", (event) => {
    event.preventDefault();
    const open = box.hidden;
    box.hidden = !open;
    toggle.setAttribute("aria-expanded", String(open));
    remember("view", open ? "timeline" : "");
    if (open && !box.querySelector("svg")) draw();
    else if (open) for (const part of parts) part.fit();
  });

  async function draw() {
    box.textContent = "Loading…";
    try {
      box.replaceChildren(await fetchFragment(addressOf()));
      dress();
    } catch (error) {
      box.replaceChildren(failure(error, draw));
    }
  }

  // What the server can't know: that zooming works, and the browser's width, time zone and language.
  function dress() {
    box.append(tip);
    for (const scroll of box.querySelectorAll(".timeline-scroll:not([data-dressed])")) {
      scroll.dataset.dressed = "";
      parts.push(new Part(scroll, scroll.previousElementSibling.querySelector(".zoom"), tip));
    }
  }
  if (box.querySelector("svg")) dress();

  box.addEventListener("click", async (event) => {
    const next = event.target.closest(".next-bars");
    if (!next) return;
    event.preventDefault();
    const address = next.href;
    next.textContent = "Loading…";
    try {
      const part = await fetchFragment(address);
      next.remove();
      box.append(part);
      dress();
    } catch (error) {
      next.replaceWith(failure(error, draw));
    }
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  new ResizeObserver(() => { for (const part of parts) part.fit(); }).observe(box);
}

class Part {
  constructor(scroll, buttons, tip) {
    this.scroll = scroll;
    this.svg = scroll.querySelector("svg.timeline");
    this.bars = [...this.svg.querySelectorAll("a.bar")].map((bar) => (
      { text: bar.querySelector("text"), room: Number(bar.dataset.room), digits: bar.dataset.number.length }
    ));
    this.busy = [...this.svg.querySelectorAll(".axis > g")].map((part) => ({
      part, start: new Date(part.dataset.start).getTime(),
      seconds: Number(part.dataset.seconds), left: Number(part.dataset.left), width: Number(part.dataset.width),
    }));
    this.tip = tip;
    this.zoom = 1;
    this.fingers = new Map();
    this.drag = null;
    buttons.hidden = false;
    buttons.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom]");
      if (button) this.zoomBy({ in: STEP, out: 1 / STEP, all: 0 }[button.dataset.zoom]);
    });
    scroll.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a pinch on a touchpad comes with ctrlKey
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 200), event.clientX);
    }, { passive: false });
    scroll.addEventListener("keydown", (event) => this.key(event));
    scroll.addEventListener("scroll", () => {
      if (!this.tip.hidden) this.show(this.shown); // it moves along
      this.drawAxis();
    });
    this.pan();
    this.tips();
    this.fit();
  }

  get width() { return this.scroll.clientWidth * this.zoom; }

  // Zooms about a place of the screen, the middle of what is seen where none is given; by 0 to all.
  zoomBy(factor, clientX) {
    const box = this.scroll.getBoundingClientRect();
    const at = clientX === undefined ? this.scroll.clientWidth / 2 : clientX - box.left;
    const place = (this.scroll.scrollLeft + at) / this.width;
    this.zoom = factor ? Math.min(MOST, Math.max(1, this.zoom * factor)) : 1;
    this.svg.setAttribute("width", `${this.zoom * 100}%`);
    this.scroll.scrollLeft = place * this.width - at;
    this.fit();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = this.scroll.clientWidth / 4;
    const does = {
      "+": () => this.zoomBy(STEP), "=": () => this.zoomBy(STEP), "-": () => this.zoomBy(1 / STEP), 0: () => this.zoomBy(0),
      ArrowLeft: () => this.scroll.scrollBy(-step, 0), ArrowRight: () => this.scroll.scrollBy(step, 0),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }

  fit() {
    if (!this.scroll.clientWidth) return; // it is closed
    for (const { text, room, digits } of this.bars) {
      if (room / 100 * this.width > digits * NUMBER) text.removeAttribute("display");
      else text.setAttribute("display", "none");
    }
    this.drawAxis();
  }

  // Times at round places, only for what is seen and a little beside it.
  drawAxis() {
    const seen = [this.scroll.scrollLeft - BETWEEN, this.scroll.scrollLeft + this.scroll.clientWidth + BETWEEN];
    let free = -Infinity; // where the last time ends
    for (const { part, start, seconds, left, width } of this.busy) {
      const [from, pixels] = [left / 100 * this.width, width / 100 * this.width];
      const marks = [];
      if (from + pixels >= seen[0] && from <= seen[1]) {
        const step = STEPS.find((wanted) => seconds && wanted / seconds * pixels >= BETWEEN) ?? STEPS.at(-1);
        const offset = -new Date(start).getTimezoneOffset() * 60; // so that days and hours are the reader's
        const first = Math.ceil((start / 1000 + offset) / step) * step - offset - start / 1000;
        // The start is told where a round time is not near: a short stretch between two gaps has no other.
        for (let at = 0, next = first; ;) {
          const x = from + (seconds ? at / seconds * pixels : 0);
          if (x > seen[1] || at > seconds) break;
          if (x >= free && x >= seen[0]) {
            const [line, text, dated] = mark(x, this.width, new Date(start + at * 1000), step, !marks.length);
            free = x + (dated ? DATED : BETWEEN);
            marks.push(line, ...(free <= this.width + 10 ? [text] : [])); // no half of a time at the end
          }
          at = next;
          next += step;
        }
      }
      part.replaceChildren(...marks);
    }
  }

  // Dragging and two fingers. A click stays a click: only what moved is a drag.
  pan() {
    const { scroll, fingers } = this;
    scroll.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button) return;
      fingers.set(event.pointerId, event.clientX);
      if (event.pointerType === "mouse") this.drag = { x: event.clientX, left: scroll.scrollLeft, moved: false };
    });
    addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      if (fingers.size === 2) {
        const before = spread(fingers);
        fingers.set(event.pointerId, event.clientX);
        const [one, other] = fingers.values();
        this.zoomBy(Math.max(20, spread(fingers)) / Math.max(20, before), (one + other) / 2);
        return;
      }
      fingers.set(event.pointerId, event.clientX);
      if (!this.drag) return; // one finger scrolls by itself
      const moved = event.clientX - this.drag.x;
      this.drag.moved ||= Math.abs(moved) > DRAG;
      if (!this.drag.moved) return;
      scroll.classList.add("dragged");
      scroll.scrollLeft = this.drag.left - moved;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, (event) => {
        fingers.delete(event.pointerId);
        scroll.classList.remove("dragged");
        setTimeout(() => { this.drag = null; }); // after the click that belongs to it
      });
    }
    scroll.addEventListener("click", (event) => {
      if (this.drag?.moved) {
        event.preventDefault();
        event.stopPropagation();
      }
    }, { capture: true });
    scroll.addEventListener("dragstart", (event) => event.preventDefault());
    scroll.addEventListener("touchmove", (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
  }

  // A tooltip of what the pointer or the focus is on. The first touch shows it, the second follows the link.
  tips() {
    const { svg, scroll } = this;
    let touched = null;
    svg.addEventListener("pointerover", (event) => this.show(event.target));
    svg.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    // Not at the SVG: Chromium makes one that listens to focus a stop of its own on the Tab key's way.
    scroll.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) this.show(event.target); });
    scroll.addEventListener("focusout", () => { this.tip.hidden = true; });
    scroll.addEventListener("click", (event) => {
      const bar = event.target.closest("a.bar");
      if (event.pointerType !== "touch" || !bar) return;
      if (touched !== bar) {
        event.preventDefault();
        event.stopPropagation();
      }
      touched = bar;
      this.show(event.target);
    }, { capture: true });
  }

  show(target) {
    this.shown = target;
    const bar = target.closest("a.bar");
    const gap = target.closest(".gap");
    if (!bar && !gap) {
      this.tip.hidden = true;
      return;
    }
    const lines = lineTexts(bar ?? gap);
    if (bar) lines[2] = exact(new Date(bar.dataset.start)); // the server's is in UTC
    const stretch = target.matches("rect:not(.base)") && bar ? lineTexts(target)[0] : "";
    this.tip.replaceChildren(...[stretch, ...lines].filter(Boolean).map((line, number) => {
      const row = document.createElement("p");
      if (!number) row.className = "first";
      row.textContent = line;
      return row;
    }));
    this.tip.hidden = false;
    const [at, box] = [(stretch ? target : bar?.querySelector("svg") ?? gap).getBoundingClientRect(), this.tip.parentElement.getBoundingClientRect()];
    const visible = this.scroll.getBoundingClientRect();
    const middle = (Math.max(at.left, visible.left) + Math.min(at.right, visible.right)) / 2 - box.left;
    const left = Math.min(box.width - this.tip.offsetWidth - 4, Math.max(4, middle - this.tip.offsetWidth / 2));
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${at.bottom - box.top + 8}px`;
  }
}

// The lines of an element's title, which is taken away so that the browser does not show it, too.
function lineTexts(element) {
  const title = element.querySelector(":scope > title");
  if (title) {
    element.dataset.tip = title.textContent;
    title.remove();
  }
  return (element.dataset.tip ?? "").split("\n");
}

// A line, its time, and whether that tells the day: with the first of a stretch, unless all is today's.
function mark(x, width, time, step, isFirst) {
  const [line, text] = ["line", "text"].map((name) => document.createElementNS(SVG, name));
  const at = `${x / width * 100}%`;
  for (const [name, value] of Object.entries({ x1: at, x2: at, y1: 0, y2: "100%" })) line.setAttribute(name, value);
  for (const [name, value] of Object.entries({ x: at, dx: 3, y: 11 })) text.setAttribute(name, value);
  const dated = isFirst && step < DAY && !sameDay(time, new Date());
  text.textContent = dated ? `${day(time)} ${clock(time, 60)}` : step >= DAY ? day(time) : clock(time, step);
  return [line, text, dated];
}

const sameDay = (one, other) => one.toDateString() === other.toDateString();
const spread = (fingers) => { const [one, other] = fingers.values(); return Math.abs(one - other); };
