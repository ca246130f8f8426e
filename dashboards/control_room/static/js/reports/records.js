/** The records behind a figure, each to click through to where it is shown. */
import { html } from "../html.js";
import { get } from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { alerts, orders } from "../live/store.js";
import { attempt } from "../notices.js";
import { go, href } from "../route.js";

/** Of which kind which screen shows the record, and where it is asked for: it may be older than what the page holds. */
const SHOWN = /** @type {Record<string, {screen: string, path?: string, table?: import("../live/store.js").Table<any>}>} */ ({
  alert: { screen: "alerts", path: "/alerts", table: alerts },
  work_order: { screen: "orders", path: "/work-orders", table: orders },
  device: { screen: "devices" },
});

/** @param {{kind: string, records: string[]}} props */
export function Records({ kind, records }) {
  if (!records.length) return html`<span class="muted">–</span>`;
  return html`<details class="records"><summary>${t(`reports.of.${kind}`, { n: number(records.length) })}</summary>
    <ul class="plain">${records.map((id) => html`<li key=${id}><${Record} kind=${kind} id=${id} /></li>`)}</ul></details>`;
}

/** @param {{kind: string, id: string}} props */
function Record({ kind, id }) {
  const { screen, path, table } = SHOWN[kind] ?? {};
  if (!screen) return html`<span class="mono">${id}</span>`;
  const follow = (/** @type {MouseEvent} */ event) => {
    if (!path || !table) return;
    event.preventDefault();
    attempt(async () => {
      const record = await get(`${path}/${encodeURIComponent(id)}`);
      table.put(record);
      go(screen, record.id);
    });
  };
  return html`<a class="mono" href=${href(screen, id)} onClick=${follow}>${id}</a>`;
}
