/** The promises of a month: target, value, whether kept, the change, and the records behind each. */
import { classes, html } from "../html.js";
import { number } from "../format.js";
import { say, t } from "../i18n.js";
import { Records } from "./records.js";

/**
 * @typedef {{name: string, title: import("../types.js").Texts, target: number, at_least: boolean, value: number|null, met: boolean|null,
 *   unit: string, trend: number|null, of: string, records: string[]}} Item
 */

/** @param {{items: Item[]}} props */
export function Promises({ items }) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t("reports.kpi")}><table>
    <thead><tr><th>${t("reports.promise")}</th><th class="number">${t("reports.target")}</th><th class="number">${t("reports.value")}</th><th>${t("column.state")}</th><th class="number">${t("reports.trend")}</th><th>${t("reports.records")}</th></tr></thead>
    <tbody>${items.map((item) => html`<tr key=${item.name} class=${classes(item.value === null && "past")}>
      <th scope="row">${say(item.title, item.name)}</th>
      <td class="number nowrap">${item.at_least ? "≥" : "≤"} ${amount(item.target, item.unit)}</td>
      <td class="number nowrap">${item.value === null ? "–" : amount(item.value, item.unit)}</td>
      <td>${item.met === null ? html`<span class="muted">${t("reports.unmeasured")}</span>` : html`<span class=${classes("tag", !item.met && "warn")}>${t(item.met ? "reports.met" : "reports.missed")}</span>`}</td>
      <td class="number nowrap"><${Trend} item=${item} /></td>
      <td><${Records} kind=${item.of} records=${item.records} /></td></tr>`)}</tbody></table></div>`;
}

/** The change against the month before, with whether it is one for the better. @param {{item: Item}} props */
function Trend({ item }) {
  if (item.trend === null) return "–";
  if (rounded(item.trend) === 0) return html`<span class="muted">±0</span>`;
  const better = item.trend > 0 === item.at_least;
  return html`${item.trend > 0 ? "+" : "−"}${number(Math.abs(item.trend))} <span class="muted">${t(better ? "reports.better" : "reports.worse")}</span>`;
}

/** As it is shown, to two places: what is nothing there is neither better nor worse. @param {number} value */
const rounded = (value) => Math.round(value * 100) / 100;

/** A value that is there and too small to show is no 0. @param {number} value */
const shown = (value) => (value > 0 && rounded(value) === 0 ? `< ${number(0.01)}` : number(value));

/** @param {number} value @param {string} unit */
const amount = (value, unit) => (unit === "count" ? shown(value) : `${shown(value)} ${t(`reports.unit.${unit.replace(" ", "_")}`)}`);
