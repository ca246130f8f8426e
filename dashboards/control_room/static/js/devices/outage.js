/** A device out of service: by whom, why, until when, how many alerts that hides; an engineer begins it, an operator ends it. */
import { html, useEffect, useState } from "../html.js";
import { get, may, post } from "../api.js";
import { moment } from "../format.js";
import { say, t } from "../i18n.js";
import { alerts, orders } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";
import { bare } from "../words.js";

/** @typedef {import("../types.js").Device} Device */
/** @typedef {{id: string, scope: string, target: string, by: string, reason: string, state: string, from_at: string, until_at: string, hidden: number}} Outage */

const MINUTES = [30, 60, 120, 240, 480, 1440];

/** @param {{device: Device}} props */
export function OutOfService({ device }) {
  const [windows, setWindows] = useState(/** @type {Outage[]} */ ([]));
  const [asking, setAsking] = useState(false);
  // What the device's alerts say of their windows changes with them: then it is asked anew.
  const hint = alerts.all().filter((alert) => alert.device === device.id && alert.state !== "closed")
    .map((alert) => alert.shelving?.outage ?? alert.outage ?? "").join();
  const load = async () => {
    const answer = await get("/out-of-service");
    setWindows(answer.items.filter((/** @type {Outage} */ one) => one.scope === "device" && one.target === device.id));
  };
  useEffect(() => {
    attempt(load);
  }, [device.id, hint]);
  const end = (/** @type {Outage} */ one) => attempt(async () => {
    await post(`/out-of-service/${encodeURIComponent(one.id)}/end`, {});
    await load();
  }, t("outage.ended"));
  if (!windows.length && !may("engineer")) return null;
  return html`<section class="outages"><h3>${t("outage.title")}</h3>
    <ul class="plain">${windows.map((one) => html`<li key=${one.id} class="line"><span class="tag warn">${t(`outage.${one.state}`)}</span>
      <span class="grow">${one.reason} <span class="muted">${bare(one.by)} · ${moment(one.from_at)} – ${moment(one.until_at)} · ${t("outage.hidden", { n: one.hidden })}</span></span>
      ${may("operator") && html`<button type="button" onClick=${() => end(one)}>${t("outage.end")}</button>`}</li>`)}</ul>
    ${may("engineer") && html`<button type="button" onClick=${() => setAsking(true)}>${t("outage.begin")}…</button>`}
    ${asking && html`<${Begin} device=${device} onBegun=${load} onClose=${() => setAsking(false)} />`}</section>`;
}

/** @param {{device: Device, onBegun: () => Promise<void>, onClose: () => void}} props */
function Begin({ device, onBegun, onClose }) {
  const [minutes, setMinutes] = useState(60);
  const [reason, setReason] = useState("");
  const [order, setOrder] = useState("");
  const working = orders.all().filter((one) => one.device === device.id && one.state === "in_progress");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { site: device.site, scope: "device", target: device.id, reason: reason.trim(), minutes, ...(order ? { work_order: order } : {}) };
    const begun = await attempt(async () => {
      await post("/out-of-service", body);
      await onBegun();
    }, t("outage.begun"));
    if (begun) onClose();
  };
  return html`<${Dialog} title=${t("outage.begin")} onClose=${onClose}>
    <form onSubmit=${send}>
      <p class="about">${say(device.name, device.id)}</p>
      <fieldset class="choices"><legend>${t("shelve.for")}</legend>
        ${MINUTES.map((each) => html`<label key=${each} class="choice"><input type="radio" name="minutes" checked=${each === minutes} onChange=${() => setMinutes(each)} />
          <span>${each < 60 ? t("span.m", { m: each }) : t("span.h", { h: each / 60 })}</span></label>`)}</fieldset>
      ${working.length > 0 && html`<label class="field">${t("outage.order")}
        <select value=${order} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setOrder(event.currentTarget.value)}><option value="">${t("outage.no_order")}</option>
          ${working.map((one) => html`<option key=${one.id} value=${one.id}>${one.number}</option>`)}</select></label>`}
      <label class="field">${t("shelve.reason")}
        <input required maxlength="500" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
      <p class="hint">${t("outage.hint")}</p>
      <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("outage.begin")}</button></div>
    </form></${Dialog}>`;
}
