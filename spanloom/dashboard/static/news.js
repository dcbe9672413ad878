// A session that goes on: announces that there is more than the page shows, and leaves it to the reader to load it.
import { notify } from "./notices.js";

const EVERY = 10000; // ms

export function watchForNews(page) {
  const { session, project, end } = page.dataset;
  const address = `/api/session?${new URLSearchParams({ id: session, project })}`;
  const look = async () => {
    const answer = document.hidden ? null : await fetch(address).catch(() => null);
    if (answer?.ok) {
      const now = await answer.json();
      const more = now.trace_count - Number(page.dataset.traces);
      if (more > 0 || now.end_time !== end) announce(more);
    }
    setTimeout(look, EVERY);
  };
  setTimeout(look, EVERY);
}

function announce(more) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Load the page again";
  button.addEventListener("click", () => location.reload());
  const sentence = more > 0 ? `${more} more ${more === 1 ? "trace has" : "traces have"} come.` : "This session has gone on.";
  notify(sentence, button);
}
