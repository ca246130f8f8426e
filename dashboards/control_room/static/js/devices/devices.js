/** All equipment: search and filter, live state, one device's history. */
import { classes, html, signal, useRef } from "../html.js";
import { inShort, kindTitle } from "../catalogue.js";
import { age, number, since } from "../format.js";
import { say, t, word } from "../i18n.js";
import { useKeys } from "../keys.js";
import { tick } from "../live/clock.js";
import { alerts, devices, SEVERITIES } from "../live/store.js";
import { ownName, zonePath } from "../place.js";
import { SearchBox } from "../queue/filters.js";
import { go, route } from "../route.js";
import { found } from "../search.js";
import { Presence } from "../detail/device_card.js";
import { Shape } from "../widgets/icon.js";
import { Grid } from "../widgets/virtual.js";
import { DevicePane } from "./device.js";

/** @typedef {import("../types.js").Device} Device */

const search = signal("");
const type = signal("");
const presence = signal("");

/** @param {Device} device @param {string} text */
function matches(device, text) {
  return found(text, [device.id, device.external_id, device.type, device.adapter, ...Object.values(device.name ?? {}), ...zonePath(device.zone)]);
}

/** @param {Device[]} all */
function filtered(all) {
  const text = search.value.trim();
  return all
    .filter((device) => (!type.value || device.type === type.value)
      && (!presence.value || (presence.value === "online") === (device.online === true))
      && (!text || matches(device, text)))
    .sort((a, b) => say(a.name, a.id).localeCompare(say(b.name, b.id), undefined, { numeric: true }));
}

/** The most urgent open alert of each device. */
function worst() {
  /** @type {Map<string, string>} */
  const marks = new Map();
  for (const alert of alerts.all()) {
    if (!alert.device || !alert.active || alert.state === "closed") continue;
    const old = marks.get(alert.device);
    if (!old || SEVERITIES.indexOf(alert.severity) < SEVERITIES.indexOf(/** @type {any} */ (old))) marks.set(alert.device, alert.severity);
  }
  return marks;
}

/** The screen. */
export function Devices() {
  const box = useRef(/** @type {HTMLInputElement|null} */ (null));
  const pane = useRef(/** @type {HTMLElement|null} */ (null));
  const chosen = route.value.id;
  const all = devices.all();
  const list = filtered(all);
  const troubled = worst();
  const step = (/** @type {number} */ by) => {
    const at = list.findIndex((device) => device.id === route.peek().id);
    const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))];
    if (next) go("devices", next.id);
  };
  useKeys({ j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), "/": () => box.current?.focus(), Enter: () => pane.current?.focus() });
  const types = [...new Set(all.map((device) => device.type))].sort();
  const offline = all.filter((device) => device.online === false).length;
  return html`<div class="screen split">
    <section class="panel" aria-labelledby="devices-title">
      <header class="panel-head"><h1 id="devices-title">${t("nav.devices")}</h1><span class="muted">${t("devices.counts", { n: number(all.length), off: number(offline) })}</span></header>
      <div class="filters"><${SearchBox} box=${box} value=${search} label=${t("devices.search")} />
        <${Select} label=${t("devices.type")} value=${type} options=${types.map((name) => [name, word("type", name)])} />
        <${Select} label=${t("devices.presence")} value=${presence} options=${[["online", t("presence.online")], ["offline", t("presence.offline")]]} /></div>
      <${Grid} name="devices" label=${t("nav.devices")} items=${list} cursor=${chosen} now=${() => route.peek().id} onCursor=${(/** @type {string} */ id) => go("devices", id)}
        onOpen=${() => pane.current?.focus()} header=${html`<${Head} />`}
        row=${(/** @type {Device} */ item, /** @type {object} */ row) => html`<${Row} device=${item} row=${row} level=${troubled.get(item.id)} />`}
        empty=${html`<p class="muted">${devices.loaded.value ? t("devices.none") : t("loading")}</p>`} />
    </section>
    <aside class="panel detail" ref=${pane} tabindex="-1" aria-label=${t("devices.title")}><${DevicePane} device=${devices.get(chosen)} /></aside>
  </div>`;
}

/**
 * @param {{label: string, value: import("@preact/signals").Signal<string>, options: string[][]}} props
 */
export function Select({ label, value, options }) {
  return html`<label class="select"><span class="visually-hidden">${label}</span>
    <select value=${value.value} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => { value.value = event.currentTarget.value; }}>
      <option value="">${label}</option>${options.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}
    </select></label>`;
}

function Head() {
  return html`<span role="columnheader">${t("column.device")}</span><span role="columnheader" class="col-place">${t("column.place")}</span>
    <span role="columnheader">${t("column.type")}</span><span role="columnheader">${t("column.presence")}</span>
    <span role="columnheader" class="col-live">${t("column.live")}</span><span role="columnheader" class="number">${t("column.heard")}</span>`;
}

/** What the device last said that is not just "I am here". @param {Device} device */
function newestSaid(device) {
  const said = Object.entries(device.state ?? {}).sort(([, a], [, b]) => String(b.received).localeCompare(String(a.received)));
  return said.find(([kind]) => kind !== "device.availability") ?? said[0];
}

/** @param {{device: Device, row: object, level: string|undefined}} props */
function Row({ device, row, level }) {
  void tick.value;
  const newest = newestSaid(device);
  const late = device.report_interval > 0 && age(device.last_at) > 3 * device.report_interval;
  return html`<div ...${row} class=${classes("row", device.online === false && "offline")}>
    <span role="gridcell" class="what"><span class="text" title=${say(device.name, device.id)}>${ownName(device.id)}</span><span class="place-line">${zonePath(device.zone).join(" › ") || device.id}</span></span>
    <span role="gridcell" class="col-place"><span class="thing">${zonePath(device.zone).join(" › ")}</span><span class="around mono">${device.id}</span></span>
    <span role="gridcell">${word("type", device.type)}</span>
    <span role="gridcell" class="line">${level && html`<${Shape} level=${level} /><span class="visually-hidden">${t(`severity.${level}`)}</span>`}<${Presence} device=${device} /></span>
    <span role="gridcell" class="col-live">${newest && html`<span class="muted">${kindTitle(newest[0])}</span> ${inShort(newest[0], newest[1].data)}`}</span>
    <span role="gridcell" class=${classes("number age", late && "late")}>${since(device.last_at)}</span>
  </div>`;
}
