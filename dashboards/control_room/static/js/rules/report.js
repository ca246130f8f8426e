/** What a backtest told: the figures, the rules, the suggestions, and what is only on one side. */
import { html } from "../html.js";
import { moment, number } from "../format.js";
import { say, t } from "../i18n.js";
import { href } from "../route.js";

/**
 * @typedef {{alerts: number, repeats: number, work_orders: number, per_operator_hour: number, peak_10m: number, flood_share: number, mix: Record<string, number>}} Load
 * @typedef {{id?: string, rule: string, scope: string, raised_at: string}} Line
 * @typedef {{rule: string, title: Record<string, string>, now: number, work_orders: number, then: number|null, matched: number|null, only_then: number|null, only_now: number|null}} Row
 * @typedef {{since: string, until: string, events: number, took_s: number, notes: Record<string, string>[], now: Load, then: Load|null, by_rule: Row[],
 *   suggestions: {rule: string, change: string, text: Record<string, string>}[], comparison: {matched: unknown[], only_then: Line[], only_now: Line[]}|null}} Told
 */

const LISTED = 100;
const FIGURES = /** @type {[string, (load: Load) => string][]} */ ([
  ["alerts", (load) => number(load.alerts)],
  ["repeats", (load) => number(load.repeats)],
  ["work_orders", (load) => number(load.work_orders)],
  ["per_hour", (load) => number(load.per_operator_hour)],
  ["peak", (load) => number(load.peak_10m)],
  ["flood", (load) => `${number(load.flood_share * 100)} %`],
  ["mix", (load) => Object.values(load.mix).map((count) => number(count)).join(" / ")],
]);

/** @param {{report: Told}} props */
export function Report({ report }) {
  const met = report.comparison;
  return html`<p class="muted">${t("backtest.span_of", { since: moment(report.since), until: moment(report.until), events: number(report.events), s: number(report.took_s, 1) })}</p>
    ${report.notes.map((note, index) => html`<p key=${index} class="hint">${say(note)}</p>`)}
    <div class="scroll" tabindex="0" role="group" aria-label=${t("backtest.figures")}><table><thead><tr><th>${t("backtest.figures")}</th><th class="number">${t("backtest.would")}</th>${report.then && html`<th class="number">${t("backtest.did")}</th>`}</tr></thead>
      <tbody>${FIGURES.map(([name, figure]) => html`<tr key=${name}><th scope="row">${t(`backtest.figure.${name}`)}</th><td class="number">${figure(report.now)}</td>${report.then && html`<td class="number">${figure(report.then)}</td>`}</tr>`)}</tbody></table></div>
    ${report.suggestions.length > 0 && html`<h3>${t("backtest.suggestions")}</h3><ul class="plain suggestions">${report.suggestions.map((one) => html`<li key=${one.rule + one.change}><span class="mono">${one.rule}</span> ${say(one.text)}</li>`)}</ul>`}
    <h3>${t("backtest.by_rule")}</h3><${Rows} rows=${report.by_rule} compared=${met !== null} />
    ${met && html`<${Only} title=${t("backtest.only_did")} lines=${met.only_then} /><${Only} title=${t("backtest.only_would")} lines=${met.only_now} />`}`;
}

/** @param {{rows: Row[], compared: boolean}} props */
function Rows({ rows, compared }) {
  if (!rows.length) return html`<p class="empty muted">${t("backtest.nothing")}</p>`;
  const columns = /** @type {const} */ (["then", "matched", "only_then", "only_now"]);
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${t("backtest.by_rule")}><table><thead><tr><th>${t("backtest.rule")}</th><th class="number">${t("backtest.would")}</th><th class="number">${t("backtest.figure.work_orders")}</th>
      ${compared && columns.map((name) => html`<th key=${name} class="number">${t(`backtest.column.${name}`)}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.rule}><td class="wrap"><span class="mono">${row.rule}</span> <span class="muted">${say(row.title)}</span></td><td class="number">${number(row.now)}</td><td class="number">${number(row.work_orders)}</td>
      ${compared && columns.map((name) => html`<td key=${name} class="number">${number(row[name] ?? 0)}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** Alerts that are on one side only. @param {{title: string, lines: Line[]}} props */
function Only({ title, lines }) {
  if (!lines.length) return null;
  return html`<details><summary>${title} (${number(lines.length)})</summary><ul class="plain">${lines.slice(0, LISTED).map((line) => html`<li key=${line.rule + line.scope + line.raised_at} class="line">
    <time>${moment(line.raised_at)}</time><span class="mono">${line.rule}</span><span class="grow">${line.id ? html`<a href=${href("alerts", line.id)}>${line.scope}</a>` : line.scope}</span></li>`)}</ul></details>`;
}
