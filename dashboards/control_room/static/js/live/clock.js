/**
 * The server's clock, as the stream tells it. Ages on the page are measured against it, never against the browser's
 * own clock, which may be wrong by minutes; between two messages it runs on the browser's steady counter.
 */
import { signal } from "../html.js";

let offset = Date.now() - performance.now();
let known = false;

/** Ticks once a second: reading it makes a component show fresh ages. */
export const tick = signal(0);

/** The server's time now, in Unix milliseconds. Reading it inside a component subscribes to the second's tick. */
export function now() {
  void tick.value;
  return performance.now() + offset;
}

/** The server's time now, without subscribing. */
export const peekNow = () => performance.now() + offset;

/**
 * Takes the server's word for what time it is. Network delay only ever makes it late, so the earliest claim wins,
 * unless the two differ by more than a second: then the server's clock was set.
 * @param {number} serverMs
 */
export function setServerTime(serverMs) {
  if (Number.isNaN(serverMs)) return;
  const claimed = serverMs - performance.now();
  if (!known || claimed > offset || offset - claimed > 1000) offset = claimed;
  known = true;
}

setInterval(() => {
  tick.value += 1;
}, 1000);
