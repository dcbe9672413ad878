// <details> that lie over the page: Escape and a click elsewhere close them, and only one is open.
export function popovers(all) {
  for (const details of all) {
    details.addEventListener("toggle", () => {
      if (!details.open) return;
      for (const other of all) if (other !== details) other.open = false;
      details.querySelector("input:not([type=hidden]), select")?.focus();
    });
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !details.open) return;
      details.open = false;
      details.querySelector("summary").focus();
    });
  }
  document.addEventListener("pointerdown", (event) => {
    for (const details of all) if (details.open && !details.contains(event.target)) details.open = false;
  });
}
