/** Devices that speak and are not known: seen, never judged, adopted with one action. */
import { html, useState } from "../html.js";
import { may, post } from "../api.js";
import { moment } from "../format.js";
import { say, t } from "../i18n.js";
import { sites, zones } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";
import { usePolled } from "./polled.js";

export function Quarantine() {
  const [answer, again] = usePolled("/quarantine?limit=100", 10);
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  const items = /** @type {any[]} */ (answer?.items ?? []);
  return html`<header class="panel-head"><h2 id="quarantine-title">${t("quarantine.title")}</h2><span class="muted">${items.length || ""}</span></header>
    ${items.length === 0 ? html`<p class="empty muted">${answer?.forbidden ? t("health.forbidden") : answer ? t("quarantine.none") : t("loading")}</p>` : html`<div class="scroll" tabindex="0" role="group" aria-labelledby="quarantine-title"><table>
      <thead><tr><th>${t("devices.serial")}</th><th>${t("devices.adapter")}</th><th>${t("quarantine.messages")}</th><th>${t("quarantine.last")}</th><th>${t("dead.topic")}</th><th><span class="visually-hidden">${t("detail.actions")}</span></th></tr></thead>
      <tbody>${items.map((item) => html`<tr key=${`${item.adapter} ${item.external_id}`}><td class="mono">${item.external_id}</td><td class="mono">${item.adapter}</td><td>${item.messages}</td>
        <td class="nowrap">${moment(item.last_at)}</td><td class="mono wrap">${item.topic}</td>
        <td class="number">${may("engineer") && html`<button type="button" class="quiet-button" onClick=${() => setChosen(item)}>${t("quarantine.adopt")}</button>`}</td></tr>`)}</tbody></table></div>`}
    ${chosen && html`<${Adopt} item=${chosen} onClose=${() => { setChosen(null); again(); }} />`}`;
}

/** @param {{item: any, onClose: () => void}} props */
function Adopt({ item, onClose }) {
  const [secret, setSecret] = useState("");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const field = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    const body = { id: field("id"), site: field("site") || item.site, type: field("type"), name: { en: field("name"), zh: field("name") }, ...(field("zone") ? { zone: field("zone") } : {}) };
    let answer = /** @type {any} */ (null);
    const fine = await attempt(async () => {
      answer = await post(`/quarantine/${encodeURIComponent(item.adapter)}/${encodeURIComponent(item.external_id)}/adopt`, body);
    }, t("quarantine.adopted"));
    if (!fine) return;
    const credential = answer?.credential?.password ?? "";
    if (credential) setSecret(credential);
    else onClose();
  };
  if (secret) {
    return html`<${Dialog} title=${t("quarantine.adopted")} onClose=${onClose}><p class="hint">${t("quarantine.secret_hint")}</p><p class="mono secret">${secret}</p>
      <div class="dialog-actions"><button type="button" class="primary" onClick=${onClose}>${t("close")}</button></div></${Dialog}>`;
  }
  return html`<${Dialog} title=${t("quarantine.adopt_title", { serial: item.external_id })} onClose=${onClose}><form onSubmit=${send}><div class="form-grid">
    <label class="field">${t("quarantine.id")}<input name="id" required pattern="[A-Za-z0-9_\\-]+" maxlength="64" value=${String(item.external_id).replace(/[^A-Za-z0-9_-]/g, "-")} autocomplete="off" /></label>
    <label class="field">${t("passes.name")}<input name="name" required maxlength="100" /></label>
    <label class="field">${t("column.type")}<input name="type" required maxlength="40" value=${item.type ?? "device"} /></label>
    <label class="field">${t("passes.site")}<select name="site">${sites.all().map((site) => html`<option key=${site.id} value=${site.id}>${say(site.name, site.id)}</option>`)}</select></label>
    <label class="field">${t("column.place")}<select name="zone"><option value="">–</option>${zones.all().map((zone) => html`<option key=${zone.id} value=${zone.id}>${say(zone.name, zone.id)}</option>`)}</select></label></div>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("quarantine.adopt")}</button></div></form></${Dialog}>`;
}
