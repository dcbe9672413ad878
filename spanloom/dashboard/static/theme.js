// Light or dark: what the system says, until the button says otherwise. Kept in a cookie, so that the server renders
// the page right from its first pixel.
const A_YEAR = 31536000;

export function themeToggle(button) {
  if (!button) return;
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = root.dataset.theme || (system.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=${A_YEAR}; samesite=lax`;
  });
}
