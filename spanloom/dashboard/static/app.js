// Loaded by every page. A page's own modules are named in its block `scripts`; each finds what it serves by data-
// attributes or IDs and does nothing where they are not there.
import { localise } from "./localise.js";
import { themeToggle } from "./theme.js";
import { pictures } from "./pictures.js";
import { retryWhileAway } from "./away.js";
import { keyboard } from "./keys.js";
import { palette } from "./palette.js";
import { siblings } from "./siblings.js";

localise(document);
themeToggle(document.getElementById("theme-toggle"));
pictures();
retryWhileAway(document.querySelector("[data-retry]"));
setInterval(() => localise(document, "ago"), 5000);
const keysDialog = document.getElementById("keys");
if (keysDialog) {
  keyboard(keysDialog);
  palette(document.getElementById("palette"), document.getElementById("find"), keysDialog);
  siblings(document.getElementById("siblings"));
}
