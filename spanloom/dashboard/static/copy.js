// Buttons that copy: data-copy holds the text, data-copy-from an address of JSON to fetch. Works for what is added
// later too, since one listener serves the whole page.
import { say } from "./say.js";

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https the clipboard is not there: the old way.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function copyButtons(root) {
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    let text = button.dataset.copy;
    if (button.dataset.copyFrom) {
      const answer = await fetch(button.dataset.copyFrom).catch(() => null);
      if (!answer?.ok) return say("It could not be fetched: is ClickHouse away?", true);
      text = JSON.stringify(await answer.json(), null, 2);
    }
    await copyText(text);
    say("Copied");
    button.closest("details.menu")?.removeAttribute("open");
  });
}
