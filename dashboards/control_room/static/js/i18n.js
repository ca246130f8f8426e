/** The page's texts: one JSON file per locale, chosen by the operator; texts of the gateway come in both languages. */
import { effect, signal } from "./html.js";
import { locale } from "./prefs.js";

/** @typedef {import("./types.js").Texts} Texts */

export const LOCALES = /** @type {const} */ (["en", "zh-CN"]);

/** @type {Map<string, Record<string, string>>} */
const loaded = new Map();
const texts = signal(/** @type {Record<string, string>} */ ({}));

/**
 * Loads every locale, so that switching needs no network.
 * @returns {Promise<void>}
 */
export async function loadTexts() {
  await Promise.all(
    LOCALES.map(async (name) => {
      const answer = await fetch(`./locales/${name}.json`);
      if (!answer.ok) throw new Error(`locales/${name}.json: ${answer.status}`);
      loaded.set(name, await answer.json());
    }),
  );
  effect(() => {
    texts.value = loaded.get(locale.value) ?? loaded.get("en") ?? {};
    document.documentElement.lang = locale.value;
  });
}

/**
 * The text `key` in the operator's language, with `{name}` replaced from `values`.
 * @param {string} key
 * @param {Record<string, string|number>} [values]
 * @returns {string}
 */
export function t(key, values) {
  const text = texts.value[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : text;
}

/**
 * A word of the gateway in the operator's language; one that the page does not know is shown as it came.
 * @param {string} prefix
 * @param {string} name
 */
export function word(prefix, name) {
  return texts.value[`${prefix}.${name}`] ?? name;
}

/**
 * The gateway's own text in the operator's language, in any language it has, or `fallback`.
 * @param {Texts|string|null|undefined} both
 * @param {string} [fallback]
 * @returns {string}
 */
export function say(both, fallback = "") {
  if (typeof both === "string") return both || fallback;
  if (!both) return fallback;
  const language = locale.value.slice(0, 2);
  return both[language] || both.en || Object.values(both).find(Boolean) || fallback;
}
