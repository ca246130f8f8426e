/** One work order: its promises, its log, and what may be done with it next. */
import { classes, html, useEffect, useState } from "../html.js";
import { may, post, session } from "../api.js";
import { age, moment, span } from "../format.js";
import { t, word } from "../i18n.js";
import { orders } from "../live/store.js";
import { attempt } from "../notices.js";
import { placeOf, titleOf } from "../place.js";
import { href } from "../route.js";
import { bare } from "../words.js";
import { Acts } from "./acts.js";
import { Facts, Files } from "./story.js";
import { Level } from "../widgets/icon.js";

/** @typedef {import("../types.js").WorkOrder} WorkOrder */

/** What comes next in the life of an order. */
const NEXT = /** @type {Record<string, string[]>} */ ({
  open: ["assign"],
  assigned: ["accept", "assign"],
  accepted: ["start", "assign"],
  in_progress: ["done"],
  done: ["verify"],
  verified: ["close"],
  closed: [],
});

/** @param {WorkOrder} order @param {string} verb @param {object} [body] */
const send = (order, verb, body = {}) => attempt(async () => {
  const answer = await post(`/work-orders/${encodeURIComponent(order.id)}/${verb}`, body, { version: order.version });
  if (answer?.id === order.id && answer.state) orders.put(answer);
}, t("done.order_changed", { number: order.number }));

/** @param {{order: WorkOrder|undefined}} props */
export function OrderPane({ order }) {
  if (!order) return html`<div class="nothing"><p>${t("orders.nothing")}</p></div>`;
  return html`<article key=${order.id} class="sheet">
    <header class="sheet-head">
      <p class="sheet-line"><${Level} level=${order.priority} /><span class="tag">${t(order.outcome === "cancelled" ? "order.cancelled" : `order.${order.state}`)}</span>
        ${order.reopened > 0 && html`<span class="tag warn">${t("orders.reopened", { n: order.reopened })}</span>`}<span class="spacer"></span><span class="muted mono">${order.number}</span></p>
      <h2>${titleOf(order)}</h2><p class="where">${placeOf(order).join(" › ")}</p>
      <dl class="facts">
        <div><dt>${t("orders.opened")}</dt><dd>${moment(order.opened_at)} <span class="muted">${bare(order.opened_by)}</span></dd></div>
        <div><dt>${t("column.team")}</dt><dd>${word("team", order.team) || t("orders.no_team")}${order.assignee && ` · ${bare(order.assignee)}`}</dd></div>
        <${Promise} label=${t("orders.respond")} by=${order.respond_by} met=${order.responded_at} />
        <${Promise} label=${t("orders.resolve")} by=${order.resolve_by} met=${order.resolved_at} />
        <${Facts} order=${order} />
        ${order.alert && html`<div><dt>${t("plans.alert")}</dt><dd><a href=${href("alerts", order.alert)}>${order.alert}</a></dd></div>`}
      </dl>
      ${order.needs_proof && html`<p class="hint">${t("orders.needs_proof")}</p>`}
      <${Steps} order=${order} /><${Acts} order=${order} /><${Files} order=${order} />
    </header>
    <section><h3>${t("orders.log")}</h3><ol class="story">${[...(order.log ?? [])].reverse().map((line, index) => html`<li key=${index}><time>${moment(line.entry_at)}</time>
      <span class="who">${bare(line.by)}</span><span class="grow">${[word("order_action", line.action), line.text].filter(Boolean).join(": ")}</span></li>`)}</ol></section>
    ${may("operator") && html`<section><${Comment} order=${order} /></section>`}
  </article>`;
}

/** A promise and whether it was kept. @param {{label: string, by: import("../types.js").Time, met: import("../types.js").Time}} props */
function Promise({ label, by, met }) {
  if (!by) return null;
  const left = -age(by);
  return html`<div><dt>${label}</dt><dd class=${classes(!met && left < 0 && "late")}>${met ? moment(met) : left < 0 ? t("over_by", { span: span(-left) }) : t("left", { span: span(left) })} <span class="muted">${t("orders.by", { time: moment(by) })}</span></dd></div>`;
}

/** The buttons of the next steps. @param {{order: WorkOrder}} props */
function Steps({ order }) {
  const [assignee, setAssignee] = useState("");
  useEffect(() => setAssignee(order.assignee ? bare(order.assignee) : (session.peek()?.name ?? "")), [order.id]);
  if (!may("operator")) return null;
  const verbs = order.pause ? [] : (NEXT[order.state] ?? []);
  const assign = (/** @type {Event} */ event) => {
    event.preventDefault();
    send(order, "assign", { assignee: assignee.trim() });
  };
  return html`<div class="actions" role="group" aria-label=${t("detail.actions")}>
    ${verbs.filter((verb) => verb !== "assign").map((verb, index) => html`<button key=${verb} type="button" class=${index === 0 ? "primary" : ""} onClick=${() => send(order, verb)}>${t(`order_act.${verb}`)}</button>`)}
    ${verbs.includes("assign") && html`<form class="inline" onSubmit=${assign}><label><span class="visually-hidden">${t("orders.assignee")}</span>
      <input required maxlength="100" placeholder=${t("orders.assignee")} value=${assignee} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setAssignee(event.currentTarget.value)} /></label>
      <button class=${order.state === "open" ? "primary" : ""}>${t("order_act.assign")}</button></form>`}
  </div>`;
}

/** @param {{order: WorkOrder}} props */
function Comment({ order }) {
  const [text, setText] = useState("");
  const write = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await send(order, "comment", { text: text.trim() })) setText("");
  };
  return html`<form class="inline wide" onSubmit=${write}><label class="grow"><span class="visually-hidden">${t("act.comment")}</span>
    <input required maxlength="2000" placeholder=${t("orders.write")} value=${text} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setText(event.currentTarget.value)} /></label>
    <button>${t("act.comment")}</button></form>`;
}
