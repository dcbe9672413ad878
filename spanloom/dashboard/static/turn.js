// What a turn of a session loads when it is opened: its steps, the panel of a step, the whole of a long text.
import { failure, fetchFragment } from "./fragment.js";
import { spanPanes } from "./panes.js";

const INDENT = 0.9; // rem a level
const DEEPEST = 100; // levels that are indented

export function turns(box) {
  // A `toggle` does not bubble.
  box.addEventListener("toggle", (event) => {
    const details = event.target;
    if (details.open && details.dataset.part) open(details);
  }, { capture: true });
  box.addEventListener("click", (event) => {
    const link = event.target.closest(".whole a[data-part]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      whole(link);
    }
    const button = event.target.closest(".switch [data-show]");
    if (button) show(button);
  });
}

async function open(details) {
  const address = details.dataset.part;
  delete details.dataset.part;
  const place = details.querySelector(":scope > p") ?? details.lastElementChild;
  place.textContent = "Loading…";
  place.setAttribute("aria-busy", "true");
  try {
    const part = (await fetchFragment(address)).querySelector(".panel, .steps-shown");
    place.replaceWith(part);
    if (part.matches(".panel")) spanPanes(part);
    for (const line of part.querySelectorAll("[data-depth]")) {
      line.style.paddingInlineStart = `${Math.min(line.dataset.depth, DEEPEST) * INDENT}rem`;
    }
    for (const chooser of part.querySelectorAll(".switch")) chooser.hidden = false;
  } catch (error) {
    details.dataset.part = address;
    place.replaceWith(failure(error, () => open(details)));
  }
}

async function whole(link) {
  const words = link.textContent;
  link.textContent = "Loading…";
  try {
    const part = (await fetchFragment(link.dataset.part)).querySelector(".text");
    for (const details of part.querySelectorAll(".fold > details")) details.open = true; // it was asked for
    const note = link.closest(".whole");
    note.parentElement.querySelector(".text").replaceWith(part);
    note.remove();
  } catch (error) {
    link.textContent = words;
    link.closest(".whole").append(failure(error, () => whole(link)));
  }
}

function show(button) {
  const box = button.closest(".steps-shown");
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
  for (const view of box.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== button.dataset.show;
}
