/** Which commands a device is offered. The gateway has the last word: it knows the adapter, the role and the interlocks. */
import { may } from "../api.js";

/** @typedef {import("../types.js").Device} Device */

/** What is usual for a type of device; of these, it is offered what its wire format has. */
const WORDS = /** @type {Record<string, string[]>} */ ({
  door: ["open", "lock", "unlock", "normal"],
  face_terminal: ["open"],
  barrier: ["raise", "lower", "keep_open"],
  camera: ["raise", "lower"],
  elevator: ["recall", "release", "announce"],
  fire_panel: [],
  gateway: [],
  pump: ["start", "stop"],
  sump_pump: ["start", "stop"],
  lighting: ["on", "off", "dim"],
  outdoor_lighting: ["on", "off", "dim"],
  irrigation: ["start", "stop"],
  charger: ["stop"],
  charging_room: ["stop"],
});

/** A format that can be told more than this says nothing of what one of its devices can do. */
const FEW = 6;
/** Those that take an engineer. */
const ENGINEER = new Set(["valve_open", "valve_close", "relay_on", "relay_off"]);

/** @param {Device} device @returns {string[]} */
export function wordsOf(device) {
  const carried = device.commands ?? [];
  const usual = device.type === "meter" ? meterWords(device, carried) : WORDS[device.type];
  const words = usual ? usual.filter((name) => carried.includes(name)) : carried.length <= FEW ? carried : [];
  return words.filter((name) => !ENGINEER.has(name) || may("engineer"));
}

/** A meter that tells of its valve has one; one of a format with few words has what they say. @param {Device} device @param {string[]} carried */
function meterWords(device, carried) {
  const valve = device.state?.["meter.reading"]?.data?.valve !== undefined ? ["valve_close", "valve_open"] : [];
  return carried.length <= FEW ? carried : valve;
}
