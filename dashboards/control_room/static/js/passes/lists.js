/** Devices that hold a list of passes themselves: whether each has what it shall have. */
import { html, signal, useEffect, useState } from "../html.js";
import { get, may, post } from "../api.js";
import { t } from "../i18n.js";
import { listsChanged } from "../live/store.js";
import { attempt, wrong } from "../notices.js";
import { deviceName } from "../place.js";
import { Dialog } from "../widgets/dialog.js";

/** @typedef {{id: string, kind: string, state: string, entries: number, pending: number, failed: number, reason: string}} DeviceList */

const lists = signal(/** @type {DeviceList[]} */ ([]));
const load = () => get("/device-lists").then((page) => { lists.value = page.items ?? []; }, wrong);

/** The panel; nothing where no device holds a list. */
export function Lists() {
  const [asked, setAsked] = useState("");
  const change = listsChanged.value;
  useEffect(() => { load(); }, [change]);
  if (!lists.value.length) return null;
  const resync = (/** @type {boolean} */ empty) => attempt(async () => {
    await post(`/device-lists/${encodeURIComponent(asked)}/resync`, { empty });
    setAsked("");
    await load();
  }, t("lists.resent"));
  return html`<section class="panel" aria-labelledby="lists-title"><header class="panel-head"><h2 id="lists-title">${t("lists.title")}</h2></header>
    <ul class="story lists">${lists.value.map((one) => html`<li key=${one.id}><span class="who">${deviceName(one.id)}</span>
      <span class="grow"><span class=${`tag ${one.state === "failed" ? "warn" : one.state === "in_sync" ? "on" : ""}`}>${t(`lists.${one.state}`)}</span> ${one.pending || one.failed ? t("lists.counts", { entries: one.entries, pending: one.pending, failed: one.failed }) : one.entries}${one.reason && html` <span class="muted">${one.reason === "no_answer" ? t("lists.no_answer") : one.reason}</span>`}</span>
      ${may("engineer") && html`<button type="button" class="quiet-button" onClick=${() => setAsked(one.id)}>${t("lists.resync")}</button>`}</li>`)}</ul>
    ${asked && html`<${Dialog} title=${t("lists.resync")} onClose=${() => setAsked("")}><p class="about">${deviceName(asked)}</p><p class="hint">${t("lists.resync_hint")}</p>
      <div class="dialog-actions"><button type="button" onClick=${() => setAsked("")}>${t("cancel")}</button><button type="button" onClick=${() => resync(true)}>${t("lists.was_reset")}</button><button type="button" class="primary" autofocus onClick=${() => resync(false)}>${t("lists.send_all")}</button></div></${Dialog}>`}</section>`;
}
