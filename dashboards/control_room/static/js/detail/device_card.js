/** The device an alert is about: whether it is there, what it last said, a small trend, its commands. */
import { html, useEffect, useState } from "../html.js";
import { get } from "../api.js";
import { fieldOf, kindTitle, fieldTitle, trendFields } from "../catalogue.js";
import { moment, since } from "../format.js";
import { say, t } from "../i18n.js";
import { devices } from "../live/store.js";
import { href } from "../route.js";
import { CommandButtons } from "../devices/command.js";
import { History } from "../devices/history.js";
import { pairs } from "./why.js";

/** @typedef {import("../types.js").DeviceEvent} DeviceEvent */

/** @param {{id: string}} props */
export function DeviceCard({ id }) {
  const device = devices.get(id);
  if (!device) return null;
  const trend = trendFields(device.state).find((each) => each.unit);
  return html`<section><h3>${t("detail.device")}<a href=${href("devices", id)}>${say(device.name, id)}</a></h3>
    <p class="line"><${Presence} device=${device} /><span class="muted">${t("devices.last_message", { span: since(device.last_at) })}</span></p>
    ${trend && html`<p class="muted small">${fieldTitle(trend.kind, trend.field)}</p><${History} device=${id} kind=${trend.kind} field=${trend.field} hours=${2} small=${true} unit=${fieldOf(trend.kind, trend.field)?.unit ?? ""} />`}
    <${CommandButtons} device=${device} />
    <${LastEvents} id=${id} />
  </section>`;
}

/** Whether a device is there, in word and shape. @param {{device: import("../types.js").Device}} props */
export function Presence({ device }) {
  const state = device.enabled === false ? "disabled" : device.online === false ? "offline" : device.online ? "online" : "unknown";
  return html`<span class=${`presence ${state}`}><span class="dot" aria-hidden="true"></span>${t(`presence.${state}`)}</span>`;
}

/** The newest events of a device. @param {{id: string, limit?: number}} props */
export function LastEvents({ id, limit = 10 }) {
  const [events, setEvents] = useState(/** @type {DeviceEvent[]|null} */ (null));
  const heard = devices.get(id)?.last_at;
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      get(`/devices/${encodeURIComponent(id)}/events?limit=${limit}`).then(
        (page) => { if (current) setEvents(page.items ?? []); },
        () => { if (current) setEvents((old) => old ?? []); },
      );
    }, events ? 2000 : 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [id, heard]);
  if (!events?.length) return events ? html`<p class="muted">${t("devices.no_events")}</p>` : null;
  return html`<h4>${t("devices.events")}</h4><ol class="events">${events.slice(0, limit).map((event) => html`<li key=${event.id ?? event.received}>
    <time>${moment(event.received)}</time><span class="grow"><span>${kindTitle(event.kind)}</span> <span class="pairs">${pairs(event.kind, event.data)}</span></span></li>`)}</ol>`;
}
