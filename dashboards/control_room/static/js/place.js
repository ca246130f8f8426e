/** Where things are, in words: the zones from the outside in, then the device. */
import { devices, zones } from "./live/store.js";
import { say } from "./i18n.js";

/**
 * A name without the name of what is around it: "Building 3, Unit 1" within "Building 3" is "Unit 1".
 * @param {string} name
 * @param {string} around
 */
function within(name, around) {
  if (!around || !name.startsWith(around)) return name;
  return name.slice(around.length).replace(/^[\s,，、·›-]+/, "") || name;
}

/**
 * Shortens each name by the one before it.
 * @param {string[]} names
 */
const shortened = (names) => names.map((name, index) => within(name, names[index - 1] ?? ""));

/** The full names of a zone and those around it, outermost first. @param {string|null|undefined} id */
function zoneNames(id) {
  const names = [];
  const seen = new Set();
  for (let zone = zones.get(id); zone && !seen.has(zone.id); zone = zones.get(zone.parent)) {
    seen.add(zone.id);
    names.unshift(say(zone.name, zone.id));
  }
  return names.length ? names : id ? [id] : [];
}

/** The names of a zone and those around it, outermost first. @param {string|null|undefined} id @returns {string[]} */
export const zonePath = (id) => shortened(zoneNames(id));

/** @typedef {{title?: import("./types.js").Texts|null, device?: string|null, rule?: string, zone?: string|null}} Titled */

/**
 * The title of an alert or order that stands beside its place: the device by its own name, without the places around it.
 * @param {Titled} thing
 */
export function titleOf(thing) {
  const title = say(thing.title, thing.rule);
  const name = thing.device ? deviceName(thing.device) : "";
  const short = thing.device ? (placeOf(thing).at(-1) ?? "") : "";
  return capital(name && short.length > 1 ? title.replace(name, () => short) : title);
}

/**
 * The same in a row that names the device on its own line: only what is wrong, where the title says the device first.
 * @param {Titled} thing
 */
export function conditionOf(thing) {
  const title = say(thing.title, thing.rule);
  const name = thing.device ? deviceName(thing.device) : "";
  const rest = name && title.startsWith(name) ? /^\s*[:：]\s*(.+)$/.exec(title.slice(name.length))?.[1] : undefined;
  return rest ? capital(rest) : titleOf(thing);
}

/** A device's name without the places around it. @param {string|null|undefined} id */
export const ownName = (id) => (id ? capital(placeOf({ device: id }).at(-1) ?? id) : "");

/** @param {string} text */
const capital = (text) => text.charAt(0).toLocaleUpperCase() + text.slice(1);

/** A device's name, or its id. @param {string|null|undefined} id */
export function deviceName(id) {
  const device = devices.get(id);
  return device ? say(device.name, device.id) : (id ?? "");
}

/**
 * `Building 3 › Unit 1 › Lift 1` for an alert, an order or a run.
 * @param {{device?: string|null, zone?: string|null, building?: string|null, site?: string}} thing
 * @returns {string[]}
 */
export function placeOf(thing) {
  const device = devices.get(thing.device);
  const path = zoneNames(thing.zone ?? device?.zone ?? thing.building ?? device?.building);
  const name = thing.device ? deviceName(thing.device) : "";
  return shortened(name && name !== path.at(-1) ? [...path, name] : path);
}
