/** Titles and units of kinds and fields, from the gateway's catalogue; what it lacks is shown under its own name. */
import { kinds } from "./live/store.js";
import { say, word } from "./i18n.js";
import { value } from "./format.js";

/** @param {string} kind */
export const kindTitle = (kind) => say(kinds.value.get(kind)?.title, kind);

/** @param {string} kind @param {string} field */
export const fieldOf = (kind, field) => kinds.value.get(kind)?.fields?.[field];

/** @param {string} kind @param {string} field */
export const fieldTitle = (kind, field) => say(fieldOf(kind, field)?.title, field);

/** A field whose kind is not told: that of the first kind that has it. @param {string} name */
export function anyField(name) {
  for (const kind of kinds.value.values()) if (kind.fields?.[name]) return kind.fields[name];
  return undefined;
}

/**
 * A value for people: the words of an enumeration in the operator's language, numbers with their unit.
 * @param {import("./types.js").Field|undefined} field
 * @param {unknown} content
 */
export function shown(field, content) {
  return field?.type === "enum" && typeof content === "string" ? word("value", content) : value(content, field?.unit);
}

/**
 * An event's data as `[title, value]` pairs, empty ones left out.
 * @param {string} kind
 * @param {Record<string, unknown>|null|undefined} data
 * @returns {[string, string][]}
 */
export function dataPairs(kind, data) {
  return Object.entries(data ?? {})
    .filter(([, content]) => content !== null && content !== undefined)
    .map(([field, content]) => [fieldTitle(kind, field), shown(fieldOf(kind, field), content)]);
}

/**
 * The same in few words for a row: flags are named when they are set, and left out when not.
 * @param {string} kind
 * @param {Record<string, unknown>|null|undefined} data
 */
export function inShort(kind, data) {
  return Object.entries(data ?? {})
    .filter(([, content]) => content !== null && content !== undefined && content !== false)
    .map(([field, content]) => (content === true ? fieldTitle(kind, field) : shown(fieldOf(kind, field), content)))
    .slice(0, 4)
    .join(" · ");
}

/**
 * The fields that a device tells and that have a history, measures before mere counts.
 * @param {Record<string, {data?: Record<string, unknown>}>|undefined} state
 */
export function trendFields(state) {
  return Object.entries(state ?? {}).flatMap(([kind, told]) =>
    Object.entries(kinds.value.get(kind)?.fields ?? {})
      .filter(([field, { history }]) => history && typeof told.data?.[field] === "number")
      .map(([field, { unit }]) => ({ kind, field, unit: unit ?? "" })),
  ).sort((a, b) => Number(!a.unit) - Number(!b.unit));
}
