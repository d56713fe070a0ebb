// Light or dark: as the screen says, or as the reader chose with a button. The choice is kept in the browser.
const KEPT = "nnspec theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Make a button switch between light and dark. */
export function themeButton(button) {
  apply(kept());
  show();
  dark.addEventListener("change", show);
  button.addEventListener("click", () => {
    const next = isDark() ? "light" : "dark";
    keep(next === screenTheme() ? null : next); // what the screen says needs no choice
    show();
  });

  function show() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.title = isDark() ? "Switch to light colours" : "Switch to dark colours";
  }
}

const screenTheme = () => (dark.matches ? "dark" : "light");
const isDark = () => (document.documentElement.dataset.theme ?? screenTheme()) === "dark";

function apply(theme) {
  if (theme === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function kept() {
  try {
    const theme = localStorage.getItem(KEPT);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null; // a browser that keeps nothing
  }
}

function keep(theme) {
  apply(theme);
  try {
    if (theme === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, theme);
  } catch {
    // nothing is kept
  }
}
