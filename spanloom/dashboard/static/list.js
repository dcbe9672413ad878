// The lists of sessions and traces.
import { facets } from "./facets.js";
import { histogram } from "./histogram.js";
import { rememberPlace } from "./place.js";
import { popovers } from "./popovers.js";
import { customRange } from "./range.js";
import { refreshing } from "./refresh.js";
import { rows } from "./rows.js";

popovers(document.querySelectorAll("details.popover"));
customRange(document.getElementById("custom-range"));
facets(document.getElementById("filters"));
histogram(document);
rows(document);
rememberPlace();
refreshing(document.getElementById("live"));

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  event.preventDefault();
  document.querySelector("#filters .search").focus();
});
