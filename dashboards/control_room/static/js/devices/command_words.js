/** Which commands a device is offered. The gateway has the last word: it knows the adapter, the role and the interlocks. */
import { may } from "../api.js";

/** @typedef {import("../types.js").Device} Device */

/** By type and adapter, then by type. */
const WORDS = /** @type {Record<string, string[]>} */ ({
  door: ["open", "lock", "unlock", "normal"],
  face_terminal: ["open"],
  barrier: ["raise", "lower", "keep_open"],
  "barrier vzenith": ["raise", "lower"],
  elevator: ["recall", "release", "announce"],
  "elevator liftfault": [],
  "meter tasmota": ["relay_on", "relay_off"],
});

/** Heavy ones, which must be given a reason. */
const WEIGHTY = new Set(["lock", "lock_down", "hold_open", "unlock_all", "keep_open", "recall", "start", "stop", "evacuate",
  "valve_open", "valve_close", "relay_on", "relay_off"]);
/** Those that take an engineer. */
const ENGINEER = new Set(["valve_open", "valve_close", "relay_on", "relay_off"]);

/** @param {Device} device @returns {string[]} */
export function wordsOf(device) {
  const valve = device.state?.["meter.reading"]?.data?.valve !== undefined ? ["valve_close", "valve_open"] : [];
  const words = device.commands ?? WORDS[`${device.type} ${device.adapter}`] ?? WORDS[device.type] ?? valve;
  return words.filter((name) => !ENGINEER.has(name) || may("engineer"));
}

/** @param {string} name */
export const isWeighty = (name) => WEIGHTY.has(name);
