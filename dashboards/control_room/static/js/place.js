/** Where things are, in words: the zones from the outside in, then the device. */
import { devices, zones } from "./live/store.js";
import { say } from "./i18n.js";

/**
 * The names of a zone and those around it, outermost first, at most `depth`.
 * @param {string|null|undefined} id
 * @param {number} [depth]
 * @returns {string[]}
 */
export function zonePath(id, depth = 2) {
  const names = [];
  const seen = new Set();
  for (let zone = zones.get(id); zone && !seen.has(zone.id); zone = zones.get(zone.parent)) {
    seen.add(zone.id);
    names.unshift(say(zone.name, zone.id));
  }
  return (names.length ? names : id ? [id] : []).slice(-depth);
}

/** A device's name, or its id. @param {string|null|undefined} id */
export function deviceName(id) {
  const device = devices.get(id);
  return device ? say(device.name, device.id) : (id ?? "");
}

/**
 * `Building 3 › Floor 2 › Lift 5` for an alert, an order or a run.
 * @param {{device?: string|null, zone?: string|null, building?: string|null, site?: string}} thing
 * @returns {string[]}
 */
export function placeOf(thing) {
  const device = devices.get(thing.device);
  const path = zonePath(thing.zone ?? device?.zone ?? thing.building ?? device?.building);
  const name = thing.device ? deviceName(thing.device) : "";
  return [...path.filter((part) => part !== name), ...(name ? [name] : [])];
}
