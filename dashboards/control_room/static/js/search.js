/** Searching lists as people type: every word somewhere, a number as a number ("building 3" is not building 13). */

/**
 * Whether every word of `text` is in one of the `straws`.
 * @param {string} text
 * @param {(string|null|undefined)[]} straws
 */
export function found(text, straws) {
  const hay = straws.filter(Boolean).join("\n").toLowerCase();
  return text.toLowerCase().split(/\s+/).filter(Boolean).every((word) =>
    (/^\d+$/.test(word) ? new RegExp(`(?<![\\d-])${word}(?!\\d)`).test(hay) : hay.includes(word)));
}
