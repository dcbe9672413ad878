// The line above the page that says what is the matter. It stays in view, and what sticks below it makes room.
const notices = document.getElementById("notices");

new ResizeObserver(() => {
  document.documentElement.style.setProperty("--notices-height", `${notices.offsetHeight}px`);
}).observe(notices);

// Says a sentence, with a button behind it or without; an empty one takes the line away.
export function notify(sentence, button = null) {
  if ((notices.dataset.sentence ?? "") === sentence) return;
  notices.dataset.sentence = sentence;
  notices.replaceChildren();
  if (!sentence) return;
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.append(sentence);
  if (button) notice.append(" ", button);
  notices.append(notice);
}
