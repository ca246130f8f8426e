/** What differs between two texts, line by line. */

/** @typedef {{kind: "same"|"out"|"in", text: string, line: number}} Line */

const MOST = 3000;

/**
 * The lines of both, in order: those that left, those that came, those that stayed. Beyond 3,000 lines the whole text.
 * @param {string} before
 * @param {string} after
 * @returns {Line[]}
 */
export function compare(before, after) {
  const old = before.split("\n");
  const now = after.split("\n");
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const middle = between(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  const same = (/** @type {string[]} */ lines) => lines.map((text) => /** @type {Line} */ ({ kind: "same", text, line: 0 }));
  const all = [...same(now.slice(0, head)), ...middle, ...same(now.slice(now.length - tail))];
  let number = 0;
  return all.map((line) => ({ ...line, line: line.kind === "out" ? number : (number += 1) }));
}

/** By the longest row of lines that both have. @param {string[]} old @param {string[]} now @returns {Line[]} */
function between(old, now) {
  const whole = () => [...old.map((text) => /** @type {Line} */ ({ kind: "out", text, line: 0 })), ...now.map((text) => /** @type {Line} */ ({ kind: "in", text, line: 0 }))];
  if (!old.length || !now.length || old.length * now.length > MOST * MOST) return whole();
  const width = now.length + 1;
  const best = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      best[i * width + j] = old[i] === now[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const lines = /** @type {Line[]} */ ([]);
  let i = 0;
  let j = 0;
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      lines.push({ kind: "same", text: now[j], line: 0 });
      i += 1;
      j += 1;
    } else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) lines.push({ kind: "out", text: old[i++], line: 0 });
    else lines.push({ kind: "in", text: now[j++], line: 0 });
  }
  while (i < old.length) lines.push({ kind: "out", text: old[i++], line: 0 });
  while (j < now.length) lines.push({ kind: "in", text: now[j++], line: 0 });
  return lines;
}
