// Asks the server for the list alone, and reports what went wrong.
export async function fetchPart(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { "spanloom-part": "list" } });
  } catch {
    throw new Error("The dashboard itself is out of reach. This page tries again by itself.");
  }
  if (answer.status === 401) throw new Error("You are logged out. Load the page again to log in.");
  if (!answer.ok) {
    const reply = await answer.json().catch(() => ({}));
    throw new Error(reply.error || `The dashboard answers with status ${answer.status}.`);
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("list");
}

// One line above the page; an empty one takes it away.
export function notify(sentence) {
  const notices = document.getElementById("notices");
  if ((notices.textContent || "") === sentence) return;
  notices.replaceChildren();
  if (!sentence) return;
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.textContent = sentence;
  notices.append(notice);
}
