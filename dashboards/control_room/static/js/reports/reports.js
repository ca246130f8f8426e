/** Reports 报表: the promises of a month and the load of alerts, of a site, zone and system; as a sheet and on paper. */
import { html, signal } from "../html.js";
import { day } from "../format.js";
import { usePolled } from "../health/polled.js";
import { say, t } from "../i18n.js";
import { now } from "../live/clock.js";
import { sites, zones } from "../live/store.js";
import { zonePath } from "../place.js";
import { locale } from "../prefs.js";
import { Load } from "./load.js";
import { Promises } from "./promises.js";

/** Asked for anew so often, in seconds: a month does not change quickly. */
const EVERY = 300;
const MONTHS = 36;
const SYSTEMS = ["access", "charging", "elevator", "environment", "fire", "flood", "gateway", "heating", "irrigation", "lighting", "meter", "parking", "patrol", "power", "video", "waste", "water"];
const REPORTS = /** @type {const} */ (["kpi", "alerts"]);
const shown = signal(/** @type {"kpi"|"alerts"} */ ("kpi"));
const month = signal("");
const site = signal("");
const zone = signal("");
const system = signal("");

const chosen = () => month.value || day(now()).slice(0, 7);

/** The months to choose from, this one first. */
function months() {
  const [year, number] = day(now()).split("-").map(Number);
  const each = Array.from({ length: MONTHS }, (_, back) => year * 12 + number - 1 - back);
  return each.map((one) => `${Math.floor(one / 12)}-${String((one % 12) + 1).padStart(2, "0")}`);
}

/** The query of what is chosen. @param {Record<string, string>} [more] */
function query(more = {}) {
  const asked = new URLSearchParams({ month: chosen(), ...more });
  for (const [name, of] of Object.entries({ site, zone, system })) if (of.value) asked.set(name, of.value);
  return asked.toString();
}

/** The screen. */
export function Reports() {
  const name = shown.value;
  const path = `/reports/${name}?${query()}`;
  const paper = { format: "html", language: locale.value.slice(0, 2) };
  return html`<div class="screen reports">
    <section class="panel" aria-labelledby="reports-title">
      <header class="panel-head"><h1 id="reports-title">${t("nav.reports")}</h1><span class="spacer"></span>
        <div class="chips" role="group" aria-label=${t("reports.which")}>${REPORTS.map((one) => html`<button key=${one} type="button" class="chip" aria-pressed=${one === name ? "true" : "false"} onClick=${() => { shown.value = one; }}>${t(`reports.${one}`)}</button>`)}</div></header>
      <div class="filters">
        <label class="inline nowrap">${t("reports.month")}<select value=${chosen()} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => { month.value = event.currentTarget.value; }}>
          ${months().map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select></label>
        ${sites.all().length > 1 && html`<${Choice} label=${t("reports.site")} of=${site} names=${sites.all().map((one) => [one.id, say(one.name, one.id)])} />`}
        <${Choice} label=${t("reports.zone")} of=${zone} names=${zones.all().map((one) => [one.id, zonePath(one.id).join(" › ")])} />
        <${Choice} label=${t("reports.system")} of=${system} names=${SYSTEMS.map((one) => [one, t(`system.${one}`)])} />
        <span class="spacer"></span>
        <a class="button" href=${`./api/v1/reports/${name}?${query({ format: "csv" })}`} download>${t("reports.csv")}</a>
        <a class="button" href=${`./api/v1/reports/${name}?${query(paper)}`} target="_blank" rel="noopener">${t("reports.print")}</a>
      </div>
      <${Report} key=${path} path=${path} name=${name} />
    </section>
  </div>`;
}

/** @param {{path: string, name: "kpi"|"alerts"}} props */
function Report({ path, name }) {
  const [answer] = usePolled(path, EVERY);
  if (!answer) return html`<p class="empty muted">${t("loading")}</p>`;
  if (answer.since === undefined) return html`<p class="empty late" role="alert">${t("reports.failed")}</p>`;
  return name === "kpi" ? html`<${Promises} items=${answer.items} />` : html`<${Load} report=${answer} />`;
}

/** @param {{label: string, of: import("@preact/signals").Signal<string>, names: string[][]}} props */
function Choice({ label, of, names }) {
  const sorted = [...names].sort((a, b) => a[1].localeCompare(b[1], locale.value));
  return html`<label class="inline nowrap">${label}<select value=${of.value} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => { of.value = event.currentTarget.value; }}>
    <option value="">${t("reports.all")}</option>${sorted.map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>`;
}
