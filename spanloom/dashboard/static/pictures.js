// Pictures in messages open over the page without scripts, and close by a click. Escape closes them, too, and so does
// the focus when it goes elsewhere.
export function pictures() {
  document.addEventListener("keydown", (event) => {
    const open = document.querySelector("details.picture[open]");
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    event.stopPropagation();
  }, true);
  document.addEventListener("focusout", (event) => {
    const open = event.target.closest?.("details.picture[open]");
    if (open && event.relatedTarget) open.open = false;
  });
}
