/** Numbers, times and ages, in the operator's language; the 24-hour clock; ages on the server's clock. */
import { locale } from "./prefs.js";
import { now } from "./live/clock.js";
import { t } from "./i18n.js";

/** @typedef {import("./types.js").Time} Time */

/**
 * Milliseconds since 1970 of an RFC 3339 text, of Unix seconds or of Unix milliseconds; NaN where there is no time.
 * @param {Time} time
 * @returns {number}
 */
export function ms(time) {
  if (time == null || time === "") return NaN;
  if (typeof time === "number") return time > 1e11 ? time : time * 1000;
  return Date.parse(time);
}

/** @type {Map<string, Intl.DateTimeFormat|Intl.NumberFormat>} */
const formats = new Map();

/** @param {Intl.DateTimeFormatOptions} options */
function dates(options) {
  const key = JSON.stringify([locale.value, options]);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale.value, { hourCycle: "h23", ...options })));
  return /** @type {Intl.DateTimeFormat} */ (format);
}

/**
 * A number with at most `digits` decimals.
 * @param {number} amount
 * @param {number} [digits]
 * @param {number} [least]  how many of them are shown even when they are 0
 */
export function number(amount, digits = 2, least = 0) {
  const key = `${locale.value} ${digits} ${least}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits, minimumFractionDigits: least })));
  return /** @type {Intl.NumberFormat} */ (format).format(amount);
}

/** `14:05:09` of a time, or of the millisecond given; "–" where there is none. @param {Time} time */
export function clock(time) {
  const at = ms(time);
  return Number.isNaN(at) ? "–" : dates({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
}

/** `14:05`. @param {Time} time */
export function hourMinute(time) {
  const at = ms(time);
  return Number.isNaN(at) ? "–" : dates({ hour: "2-digit", minute: "2-digit" }).format(at);
}

/** `2026-11-22`, in the console's time zone. @param {Time} time */
export function day(time) {
  const at = new Date(ms(time));
  if (Number.isNaN(at.getTime())) return "–";
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Date and time; the date is left out when it is today. @param {Time} time */
export function moment(time) {
  const at = ms(time);
  if (Number.isNaN(at)) return "–";
  return day(at) === day(now()) ? clock(at) : `${day(at)} ${clock(at)}`;
}

/**
 * A length of time, in the one or two units that matter: `8 s`, `3 min 05 s`, `2 h`, `2 h 10 min`, `4 d 3 h`.
 * @param {number} seconds
 */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  if (whole < 60) return t("span.s", { s: whole });
  if (whole < 3600 && whole % 60 === 0) return t("span.m", { m: whole / 60 });
  if (whole < 3600) return t("span.ms", { m: Math.floor(whole / 60), s: two(whole % 60) });
  if (whole < 86400 && whole % 3600 < 60) return t("span.h", { h: Math.floor(whole / 3600) });
  if (whole < 86400) return t("span.hm", { h: Math.floor(whole / 3600), m: two(Math.floor((whole % 3600) / 60)) });
  return t("span.dh", { d: Math.floor(whole / 86400), h: Math.floor((whole % 86400) / 3600) });
}

/**
 * The same in one unit, for narrow columns: `8 s`, `3 min`, `2 h`, `4 d`.
 * @param {number} seconds
 */
export function shortSpan(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return t("span.s", { s: whole });
  if (whole < 3600) return t("span.m", { m: Math.floor(whole / 60) });
  if (whole < 86400) return t("span.h", { h: Math.floor(whole / 3600) });
  return t("span.d", { d: Math.floor(whole / 86400) });
}

/** Seconds since `time` on the server's clock; NaN where there is none. @param {Time} time */
export function age(time) {
  return (now() - ms(time)) / 1000;
}

/** Since `time`, short; "–" where there is none. @param {Time} time */
export function since(time) {
  const seconds = age(time);
  return Number.isNaN(seconds) ? "–" : shortSpan(seconds);
}

/**
 * A field's value for people: numbers with digits, flags in words, everything else as text, never as markup.
 * @param {unknown} content
 * @param {string} [unit]
 */
export function value(content, unit = "") {
  if (content === null || content === undefined) return "–";
  if (typeof content === "boolean") return content ? t("yes") : t("no");
  if (typeof content === "number") return `${number(content)} ${unitText(unit)}`.trim();
  return typeof content === "object" ? JSON.stringify(content) : String(content);
}

const UNITS = /** @type {Record<string, string>} */ ({
  Cel: "°C", m3: "m³", "ug/m3": "µg/m³", "uS/cm": "µS/cm", "{NTU}": "NTU", "[pH]": "", "[ppm]": "ppm",
});

/** A unit as people write it. @param {string} unit */
export const unitText = (unit) => UNITS[unit] ?? unit;
