// A session that goes on: announces that there is more than the page shows, and leaves it to the reader to load it.
const EVERY = 10000; // ms

export function watchForNews(page) {
  const { session, project, end } = page.dataset;
  const address = `/api/session?${new URLSearchParams({ id: session, project })}`;
  setInterval(async () => {
    if (document.hidden) return;
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return;
    const now = await answer.json();
    const more = now.trace_count - Number(page.dataset.traces);
    if (more > 0 || now.end_time !== end) announce(more);
  }, EVERY);
}

function announce(more) {
  const notices = document.getElementById("notices");
  const sentence = more > 0 ? `${more} more ${more === 1 ? "trace has" : "traces have"} come.` : "This session has gone on.";
  if (notices.dataset.sentence === sentence) return;
  notices.dataset.sentence = sentence;
  const notice = document.createElement("p");
  notice.className = "notice";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Load the page again";
  button.addEventListener("click", () => location.reload());
  notice.append(sentence, " ", button);
  notices.replaceChildren(notice);
}
