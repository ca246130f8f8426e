/** What doors and barriers were answered, newest first, and why somebody was refused. */
import { html, signal, useEffect } from "../html.js";
import { get } from "../api.js";
import { moment } from "../format.js";
import { t, word } from "../i18n.js";
import { decisions } from "../live/store.js";
import { wrong } from "../notices.js";
import { deviceName } from "../place.js";

/** @typedef {Record<string, any>} Decision */

/** Those of before this page was opened. */
const earlier = signal(/** @type {Decision[]} */ ([]));
const refusals = signal(false);

/** The panel. */
export function Decisions() {
  useEffect(() => {
    get("/decisions?limit=100").then((page) => { earlier.value = page.items ?? []; }, wrong);
  }, []);
  const keyOf = (/** @type {Decision} */ one) => `${one.time}|${one.device}|${one.value}|${one.reason}`;
  const live = decisions.value;
  const known = new Set(live.map(keyOf));
  const list = [...live, ...earlier.value.filter((one) => !known.has(keyOf(one)))].filter((one) => !refusals.value || !one.allowed).slice(0, 200);
  return html`<section class="panel" aria-labelledby="decisions-title"><header class="panel-head"><h2 id="decisions-title">${t("passes.decisions")}</h2><span class="spacer"></span>
      <button type="button" class="chip" aria-pressed=${refusals.value} onClick=${() => { refusals.value = !refusals.peek(); }}>${t("passes.only_refused")}</button></header>
    ${list.length ? html`<ol class="story scroll" tabindex="0" aria-label=${t("passes.decisions")}>${list.map((one) => html`<li key=${keyOf(one)} class=${one.allowed ? "" : "refused"}>
      <time>${moment(one.time)}</time><span class="who">${deviceName(one.device)}</span>
      <span class="grow"><span class="tag">${one.allowed ? t("passes.allowed") : t("passes.refused")}</span> ${word("decision", one.reason)} <span class="mono muted">${one.kind === "qr" ? "" : one.value ?? ""}</span></span></li>`)}</ol>`
      : html`<p class="empty muted">${t("passes.no_decisions")}</p>`}</section>`;
}
