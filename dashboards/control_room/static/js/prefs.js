/** What this console remembers between visits: language, theme, sound, single keys. Kept in the browser alone. */
import { effect, signal } from "./html.js";

/**
 * A signal that is kept in localStorage under `gatehouse.<name>`.
 * @template T
 * @param {string} name
 * @param {T} initial
 */
function kept(name, initial) {
  const key = `gatehouse.${name}`;
  let start = initial;
  try {
    const stored = localStorage.getItem(key);
    if (stored !== null) start = JSON.parse(stored);
  } catch {
    // a browser that forbids storage still gets a working page
  }
  const value = signal(start);
  effect(() => {
    const text = JSON.stringify(value.value);
    try {
      localStorage.setItem(key, text);
    } catch {
      // as above
    }
  });
  return value;
}

const spoken = (navigator.languages ?? [navigator.language]).some((tag) => tag.toLowerCase().startsWith("zh"));

/** The page's language: `en` or `zh-CN`. */
export const locale = kept("locale", spoken ? "zh-CN" : "en");
/** `dark`, `light` or `auto`. */
export const theme = kept("theme", "dark");
/** Whether single keys act (WCAG 2.1.4). */
export const singleKeys = kept("single-keys", true);
/** Loudness of the alert sounds, 0 to 1. */
export const volume = kept("volume", 0.6);

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
