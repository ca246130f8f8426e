/** Small words used on many screens. */
import { t } from "./i18n.js";
import { isShelved } from "./live/store.js";

/** The state of an alert in a word. @param {import("./types.js").Alert} alert */
export function stateWord(alert) {
  if (isShelved(alert)) return t(alert.shelving?.kind === "suppressed" ? "state.suppressed" : "state.shelved");
  return t(`state.${alert.state}`);
}

/** `user:anna` as people say it. @param {string|null|undefined} actor */
export const bare = (actor) => (actor ?? "").replace(/^user:/, "");
