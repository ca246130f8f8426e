/** What an order says of itself beside its promises: who asked, pauses, parts and cost, files, the verdict. */
import { html } from "../html.js";
import { moment, number } from "../format.js";
import { t } from "../i18n.js";
import { bare } from "../words.js";

/** @param {{order: import("../types.js").WorkOrder}} props */
export function Facts({ order }) {
  const asked = order.requester;
  const rows = /** @type {[string, any][]} */ ([
    ["orders.kind", order.kind && order.kind !== "repair" && t(`order_kind.${order.kind}`)],
    ["orders.owner", order.owner && bare(order.owner)],
    ["orders.requester", asked && [asked.name, asked.phone, asked.address].filter(Boolean).join(" · ")],
    ["orders.asked", order.text],
    ["orders.tracking", order.tracking],
    ["orders.paused", order.pause && `${t(`order_reason.${order.pause.reason}`)} · ${moment(order.pause.paused_at)}`],
    ["orders.deferred", order.deferral && `${t(`order_reason.${order.deferral.reason}`)} · ${moment(order.deferral.until_by)}`],
    ["orders.cost", Boolean(order.cost_cents) && number((order.cost_cents ?? 0) / 100, 2, 2)],
    ["orders.parts", Boolean(order.parts?.length) && (order.parts ?? []).map((part) => `${number(part.quantity)} × ${part.name}`).join(", ")],
    ["orders.founded", order.founded != null && t(order.founded ? "yes" : "no")],
    ["orders.score", order.rating && `${order.rating.score}/5 ${order.rating.text}`],
    ["orders.visit", order.visit ? t(order.visit.satisfied ? "orders.satisfied" : "orders.unsatisfied") : order.visit_wanted && t("orders.visit_due")],
  ]);
  return rows.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${t(name)}</dt><dd>${value}</dd></div>`);
}

/** @param {{order: import("../types.js").WorkOrder}} props */
export function Files({ order }) {
  const base = `/api/v1/work-orders/${encodeURIComponent(order.id)}`;
  return html`<p class="links"><a href=${`${base}/print?language=${document.documentElement.lang.startsWith("zh") ? "zh" : "en"}`} target="_blank" rel="noopener">${t("orders.print")}</a>
    ${(order.files ?? []).map((file) => html`<a key=${file.sha256} href=${`${base}/files/${file.sha256}`} target="_blank" rel="noopener">${file.name}</a>`)}</p>`;
}
