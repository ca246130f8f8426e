/** The keyboard: single keys that screens bind, G and a letter to go somewhere. Commands are never on a single key. */
import { useEffect } from "./html.js";
import { go } from "./route.js";
import { singleKeys } from "./prefs.js";

/** @type {Map<string, (() => void)[]>} */
const bound = new Map();
/** When G was last pressed, on the steady counter. */
let prefixed = -Infinity;

/** Which letter after G goes to which screen. */
export const GOTO = /** @type {Record<string, string>} */ ({
  a: "alerts", d: "devices", w: "orders", t: "schedules", o: "duty", p: "plans", c: "passes", m: "commands", r: "rules", k: "reports", s: "health",
});

/**
 * Binds keys while the component is shown; the newest binding of a key wins.
 * @param {Record<string, () => void>} map
 */
export function useKeys(map) {
  useEffect(() => {
    for (const [key, act] of Object.entries(map)) bound.set(key, [act, ...(bound.get(key) ?? [])]);
    return () => {
      for (const [key, act] of Object.entries(map)) bound.set(key, (bound.get(key) ?? []).filter((other) => other !== act));
    };
  });
}

/** @param {EventTarget|null} target */
function writing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Whether a button or link under the focus wants the key for itself. @param {KeyboardEvent} event */
function taken(event) {
  const target = event.target;
  return event.key === "Enter" && target instanceof HTMLElement && /^(BUTTON|A|SUMMARY)$/.test(target.tagName);
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (writing(event.target)) {
    if (key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
    return;
  }
  if (taken(event) || (event.key.length === 1 && !singleKeys.peek())) return;
  if (performance.now() - prefixed < 1500 && GOTO[key]) {
    prefixed = -Infinity;
    event.preventDefault();
    go(GOTO[key]);
    return;
  }
  prefixed = key === "g" ? performance.now() : -Infinity;
  const act = bound.get(key)?.[0];
  if (!act) return;
  event.preventDefault();
  act();
}

addEventListener("keydown", pressed);
