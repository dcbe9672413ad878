// A short word at the foot of the page, read out by screen readers, gone after a moment.
const FOR = 2500; // ms
let timer = 0;

export function say(text, bad = false) {
  let toast = document.getElementById("toast");
  if (!toast) {
    toast = document.createElement("div");
    toast.id = "toast";
    toast.setAttribute("role", "status");
    document.body.append(toast);
  }
  toast.textContent = text;
  toast.className = bad ? "bad shown" : "shown";
  clearTimeout(timer);
  timer = setTimeout(() => toast.classList.remove("shown"), FOR);
}
