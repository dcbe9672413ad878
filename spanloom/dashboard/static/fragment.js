// Fetches a part of a page that the server has rendered. Its texts are escaped there; nothing is put together here.
import { localise } from "./localise.js";

// Returns the part's elements, times and numbers localised. Throws an Error with a sentence.
export async function fetchFragment(address, signal) {
  const answer = await fetch(address, { signal, headers: { "spanloom-part": "detail" } }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Error("The dashboard does not answer. Try again in a moment.");
  });
  if (answer.status === 401) throw new Error("You are logged out. Load the page again to log in.");
  if (!answer.ok) {
    const reply = await answer.json().catch(() => ({}));
    throw new Error(reply.error || `The dashboard answers with status ${answer.status}.`);
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  localise(page);
  const part = document.createDocumentFragment();
  part.append(...page.body.childNodes);
  return part;
}

// Shows a failure in place, with a button that tries again.
export function failure(error, again) {
  const box = document.createElement("p");
  box.className = "notice bad";
  box.setAttribute("role", "alert");
  box.append(error.message, " ");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", () => { box.remove(); again(); });
  box.append(button);
  return box;
}
