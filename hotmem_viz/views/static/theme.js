// Light or dark: forced by the trait or the button, or as the page around the stage is.

import { makeIcon } from "./dom.js";
import { luminance } from "./painter.js";

const THEME_CHOICES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };
const THEME_WORDS = { auto: "as the page", light: "light", dark: "dark" };

/** Let the theme button show which choice is on. */
function showThemeChoice(button, choice) {
  button.replaceChildren(makeIcon(THEME_ICONS[choice]));
  button.title = `Theme: ${THEME_WORDS[choice]} (t)`;
  button.setAttribute("aria-label", button.title);
}

function themeOfBackground(element) {
  for (let node = element; node; node = node.parentElement) {
    const parts = getComputedStyle(node).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (parts && (parts.length < 4 || parts[3] > 0.5)) {
      return luminance(parts) > 0.4 ? "light" : "dark";
    }
  }
  return null;
}

/** The theme of the page around `root`: JupyterLab's word, Voila's, or the system's. */
export function pageTheme(root) {
  const { body } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "true" ? "light" : "dark";
  if (body.classList.contains("theme-dark")) return "dark";
  if (body.classList.contains("theme-light")) return "light";
  const own = document.documentElement.dataset.hotmemPage !== undefined;
  const behind = !own && root.parentElement ? themeOfBackground(root.parentElement) : null;
  if (behind) return behind;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** The choice that the button goes on to. */
export function themeAfter(choice) {
  return THEME_CHOICES[(THEME_CHOICES.indexOf(choice) + 1) % THEME_CHOICES.length];
}

/** Let a stage have the chosen theme; false if it looks that way already. */
export function takeTheme(stage, choice) {
  const { root, shell } = stage;
  stage.themeChoice = choice;
  showThemeChoice(shell.themeButton, choice);
  stage.theme = choice === "auto" ? pageTheme(root) : choice;
  if (root.dataset.theme === stage.theme) return false;
  root.dataset.theme = stage.theme;
  return true;
}

/** Call `onchange` whenever the page may have changed its theme; returns a stopper. */
export function watchPageTheme(onchange) {
  const query = matchMedia("(prefers-color-scheme: dark)");
  query.addEventListener("change", onchange);
  const observer = new MutationObserver(onchange);
  const attributeFilter = ["data-jp-theme-light", "data-jp-theme-name", "class"];
  observer.observe(document.body, { attributes: true, attributeFilter });
  return () => {
    query.removeEventListener("change", onchange);
    observer.disconnect();
  };
}

export function prefersStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
