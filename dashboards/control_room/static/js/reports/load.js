/** The load of alerts on an operator after ISA-18.2: each figure beside its target. */
import { classes, html } from "../html.js";
import { moment, number, span } from "../format.js";
import { t } from "../i18n.js";
import { Level } from "../widgets/icon.js";

/** The figures, each with the most that it should be; null where it is told alone. */
const FIGURES = /** @type {[string, number|null, string][]} */ ([
  ["alerts", null, ""], ["per_10_min", 1, ""], ["per_day", 144, ""], ["peak_10_min", 10, ""], ["windows_above_10", 1, "%"], ["time_in_flood", 1, "%"],
  ["floods", null, ""], ["chattering", 0, ""], ["stale", 4, ""], ["stale_worst_day", 4, ""], ["shelved", null, ""],
]);

/** @param {{report: Record<string, any>}} props */
export function Load({ report }) {
  return html`<div class="scroll load" tabindex="0" role="group" aria-label=${t("reports.alerts")}>
    <section aria-labelledby="load-figures"><h2 id="load-figures">${t("reports.figures")}</h2><table><thead><tr><th>${t("reports.figure")}</th><th class="number">${t("reports.value")}</th><th class="number">${t("reports.target")}</th></tr></thead>
      <tbody>${FIGURES.map(([name, most, unit]) => html`<tr key=${name}><th scope="row">${t(`reports.load.${name}`)}${name === "peak_10_min" && report.peak_at && html` <span class="muted">${moment(report.peak_at)}</span>`}</th>
        <td class=${classes("number", most !== null && report[name] > most && "late")}>${number(report[name])} ${unit}</td><td class="number">${most === null ? "" : `≤ ${number(most)} ${unit}`}</td></tr>`)}</tbody></table></section>
    <section aria-labelledby="load-mix"><h2 id="load-mix">${t("reports.mix")}</h2><table><thead><tr><th>${t("column.priority")}</th><th class="number">${t("reports.count")}</th><th class="number">%</th><th class="number">${t("reports.target")}</th></tr></thead>
      <tbody>${report.mix.map((/** @type {any} */ one) => html`<tr key=${one.severity}><th scope="row"><${Level} level=${one.severity} />${one.critical !== undefined && html` <span class="muted">${t("reports.critical_in", { n: number(one.critical) })}</span>`}</th>
        <td class="number">${number(one.count)}</td><td class="number">${one.share === null ? "–" : number(one.share)}</td><td class="number">${number(one.target)}</td></tr>`)}</tbody></table></section>
    <section aria-labelledby="load-top"><h2 id="load-top">${t("reports.top")}</h2>${report.top.length ? html`<table><thead><tr><th>${t("reports.rule")}</th><th class="number">${t("reports.count")}</th><th class="number">%</th></tr></thead>
      <tbody>${report.top.map((/** @type {any} */ one) => html`<tr key=${one.rule}><th scope="row" class="mono">${one.rule}</th><td class="number">${number(one.count)}</td><td class="number">${number(one.share)}</td></tr>`)}</tbody></table>` : html`<p class="hint">${t("reports.quiet")}</p>`}</section>
    <section aria-labelledby="load-acknowledged"><h2 id="load-acknowledged">${t("reports.acknowledgement")}</h2><table><thead><tr><th>${t("column.priority")}</th><th class="number">${t("reports.acknowledged")}</th><th class="number">${t("reports.median")}</th><th class="number">${t("reports.p90")}</th><th class="number">${t("reports.target")}</th><th class="number">${t("reports.in_time")}</th></tr></thead>
      <tbody>${report.acknowledgement.map((/** @type {any} */ one) => html`<tr key=${one.severity}><th scope="row"><${Level} level=${one.severity} /></th><td class="number">${number(one.acknowledged)} / ${number(one.alerts)}</td>
        <td class="number">${length(one.median_s)}</td><td class="number">${length(one.p90_s)}</td><td class="number">${length(one.target_s)}</td><td class="number">${one.in_time === null ? "–" : `${number(one.in_time)} %`}</td></tr>`)}</tbody></table></section>
  </div>`;
}

/** @param {number|null} seconds */
const length = (seconds) => (seconds === null ? "–" : span(seconds));
