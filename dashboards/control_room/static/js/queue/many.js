/** Acknowledging many at once: only medium and low ones, only those the filters show now, never one that comes later. */
import { html, signal } from "../html.js";
import { may, post } from "../api.js";
import { t } from "../i18n.js";
import { needsEyes } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";
import { Level } from "../widgets/icon.js";
import { rows } from "./list.js";

const MOST = 500;
/** The ids the person was asked about; null when nobody was asked. */
const asked = signal(/** @type {{ids: string[], medium: number, low: number}|null} */ (null));

const minor = () => rows.value.filter((alert) => needsEyes(alert) && (alert.severity === "medium" || alert.severity === "low")).slice(0, MOST);

/** The button; there only where it saves work. */
export function AcknowledgeMany() {
  const list = minor();
  if (list.length < 2 || !may("operator")) return null;
  const ask = () => {
    asked.value = { ids: list.map((alert) => alert.id), medium: list.filter((alert) => alert.severity === "medium").length, low: list.filter((alert) => alert.severity === "low").length };
  };
  return html`<button type="button" class="chip" onClick=${ask}>${t("many.button", { n: list.length })}</button>`;
}

/** The question before it. */
export function ManyDialog() {
  if (!asked.value) return null;
  const { ids, medium, low } = asked.value;
  const leave = () => {
    asked.value = null;
  };
  const send = async () => {
    if (await attempt(() => post("/alerts/acknowledge", { alerts: ids }), t("many.done", { n: ids.length }))) leave();
  };
  return html`<${Dialog} title=${t("many.title", { n: ids.length })} onClose=${leave}>
    <ul class="plain tally">${[["medium", medium], ["low", low]].map(([level, n]) => html`<li key=${level}><span></span><${Level} level=${level} /><span class="number">${n}</span></li>`)}</ul>
    <p class="hint">${t("many.hint")}</p>
    <div class="dialog-actions"><button type="button" onClick=${leave}>${t("cancel")}</button><button type="button" class="primary" autofocus onClick=${send}>${t("act.acknowledge")}</button></div></${Dialog}>`;
}
