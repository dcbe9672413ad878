// Single keys, and the dialog that names them all.
const acts = new Map();

// Has keys do something where nobody types, no other key is held and no dialog is open.
export function keys(more) {
  for (const [key, act] of Object.entries(more)) acts.set(key, act);
}

const typing = (target) => target.closest?.("input, select, textarea, [contenteditable]");

export function keyboard(dialog) {
  keys({ "?": () => showKeys(dialog) });
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const act = acts.get(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

// The browser keeps the focus in it, closes it with Escape, and gives the focus back.
export function showKeys(dialog) {
  dialog.showModal();
}
