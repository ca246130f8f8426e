/** Small words used on many screens. */
import { t, word } from "./i18n.js";
import { isShelved } from "./live/store.js";

/** The state of an alert in a word. @param {import("./types.js").Alert} alert */
export function stateWord(alert) {
  if (isShelved(alert)) {
    if (alert.shelving?.kind === "out_of_service") return t("state.out_of_service");
    return t(alert.shelving?.kind === "suppressed" ? "state.suppressed" : "state.shelved");
  }
  return t(`state.${alert.state}`);
}

/**
 * `user:anna` as people say it; what rules, plans and the gateway do by themselves is said in a word.
 * @param {string|null|undefined} actor
 */
export function bare(actor) {
  if (!actor) return "";
  const [kind, ...name] = actor.split(":");
  if (kind === "user" || kind === "token") return name.join(":");
  return word("actor", kind);
}
