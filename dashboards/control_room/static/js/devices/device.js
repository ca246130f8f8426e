/** One device: live state, trend of a chosen field, commands, events, what stands open about it. */
import { html, useEffect, useState } from "../html.js";
import { fieldTitle, fieldOf, kindTitle, trendFields } from "../catalogue.js";
import { since } from "../format.js";
import { say, t, word } from "../i18n.js";
import { alerts, SEVERITIES } from "../live/store.js";
import { deviceName, zonePath } from "../place.js";
import { href } from "../route.js";
import { LastEvents, Presence } from "../detail/device_card.js";
import { Level } from "../widgets/icon.js";
import { CommandButtons, LiveState } from "./command.js";
import { History } from "./history.js";
import { OutOfService } from "./outage.js";

/** @typedef {import("../types.js").Device} Device */

/** @param {{device: Device|undefined}} props */
export function DevicePane({ device }) {
  if (!device) return html`<div class="nothing"><p>${t("devices.nothing")}</p></div>`;
  const open = alerts.all().filter((alert) => alert.device === device.id && alert.state !== "closed")
    .sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity));
  return html`<article key=${device.id} class="sheet">
    <header class="sheet-head">
      <p class="sheet-line"><${Presence} device=${device} /><span class="tag">${word("type", device.type)}</span><span class="spacer"></span><span class="muted mono">${device.id}</span></p>
      <h2>${say(device.name, device.id)}</h2><p class="where">${zonePath(device.zone).join(" › ")}</p>
      <${Facts} device=${device} />
    </header>
    ${open.length > 0 && html`<section><h3>${t("devices.open_alerts")}<span class="count">${open.length}</span></h3><ul class="plain">${open.map((alert) => html`<li key=${alert.id}>
      <a class="line" href=${href("alerts", alert.id)}><${Level} level=${alert.severity} /><span class="grow">${say(alert.title, alert.rule)}</span><span class="muted">${since(alert.raised_at)}</span></a></li>`)}</ul></section>`}
    <section><h3>${t("devices.state")}</h3><${LiveState} device=${device} /><${CommandButtons} device=${device} /></section>
    <${OutOfService} device=${device} />
    <${Trend} device=${device} />
    <section><${LastEvents} id=${device.id} limit=${20} /></section>
  </article>`;
}

/** @param {{device: Device}} props */
function Facts({ device }) {
  return html`<dl class="facts">
    <div><dt>${t("devices.heard")}</dt><dd>${t("ago", { span: since(device.last_at) })}</dd></div>
    <div><dt>${t("devices.adapter")}</dt><dd class="mono">${device.adapter}</dd></div>
    <div><dt>${t("devices.serial")}</dt><dd class="mono">${device.external_id}</dd></div>
    ${device.connected_via && html`<div><dt>${t("devices.via")}</dt><dd><a href=${href("devices", device.connected_via)}>${deviceName(device.connected_via)}</a></dd></div>`}
    ${device.powered_by && html`<div><dt>${t("devices.power")}</dt><dd><a href=${href("devices", device.powered_by)}>${deviceName(device.powered_by)}</a></dd></div>`}
  </dl>`;
}

const HOURS = [1, 6, 24, 168];

/** A field's history over a chosen time. @param {{device: Device}} props */
function Trend({ device }) {
  const fields = trendFields(device.state);
  const [choice, setChoice] = useState("");
  const [hours, setHours] = useState(6);
  useEffect(() => setChoice(""), [device.id]);
  const current = fields.find(({ kind, field }) => `${kind} ${field}` === choice) ?? favourite(fields);
  if (!current) return null;
  const { kind, field } = current;
  return html`<section class="trend"><h3>${t("devices.trend")}</h3>
    <div class="trend-tools"><label class="select"><span class="visually-hidden">${t("devices.field")}</span>
      <select value=${`${kind} ${field}`} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setChoice(event.currentTarget.value)}>
        ${fields.map((each) => html`<option key=${`${each.kind} ${each.field}`} value=${`${each.kind} ${each.field}`}>${fieldTitle(each.kind, each.field)} · ${kindTitle(each.kind)}</option>`)}</select></label>
      <div class="chips" role="group" aria-label=${t("devices.period")}>${HOURS.map((each) => html`<button key=${each} type="button" class="chip" aria-pressed=${each === hours ? "true" : "false"}
        onClick=${() => setHours(each)}>${each < 48 ? t("span.h", { h: each }) : t("span.d", { d: each / 24 })}</button>`)}</div></div>
    <${History} device=${device.id} kind=${kind} field=${field} hours=${hours} unit=${fieldOf(kind, field)?.unit ?? ""} /></section>`;
}

/** Momentary values say more than registers that only ever rise. @param {{kind: string, field: string}[]} fields */
const favourite = (fields) =>
  ["power_w", "flow_lpm", "machine_room_c", "occupied", "load_kg", "voltage_v"].map((name) => fields.find(({ field }) => field === name)).find(Boolean) ?? fields[0];
