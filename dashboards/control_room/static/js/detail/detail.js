/** The pane beside the queue: what, where, since when; what to do; why; the plan; the device; what was done so far. */
import { classes, html } from "../html.js";
import { may } from "../api.js";
import { moment, since, span, age } from "../format.js";
import { say, t, word } from "../i18n.js";
import { alerts, isShelved, orders, runs } from "../live/store.js";
import { placeOf, titleOf } from "../place.js";
import { promise } from "../orders/promise.js";
import { isFirstOut, Marks } from "../queue/marks.js";
import { Steps } from "../plans/steps.js";
import { href } from "../route.js";
import { Level } from "../widgets/icon.js";
import { bare, stateWord } from "../words.js";
import { Actions } from "./actions.js";
import { DeviceCard } from "./device_card.js";
import { EscalationStory } from "./escalation.js";
import { Symptoms } from "./symptoms.js";
import { Why } from "./why.js";

/** @typedef {import("../types.js").Alert} Alert */

/** @param {{alert: Alert|undefined}} props */
export function Detail({ alert }) {
  if (!alert) return html`<${Nothing} />`;
  const place = placeOf(alert);
  const urgent = alert.severity === "critical" && alert.state === "unacknowledged";
  return html`<article key=${alert.id} class=${classes("sheet", `is-${alert.severity}`)}>
    <header class="sheet-head">
      <p class="sheet-line"><${Level} level=${alert.severity} urgent=${urgent} /><span class="tag">${stateWord(alert)}</span>
        ${alert.chattering && html`<span class="tag warn">${t("detail.chattering")}</span>`}
        ${alert.latched && html`<span class="tag">${t("detail.latched")}</span>`}<${Marks} alert=${alert} /><span class="spacer"></span><span class="muted mono">${alert.id}</span></p>
      <h2>${titleOf(alert)}</h2>
      <p class="where">${place.join(" › ")}</p>
      <${Facts} alert=${alert} />
      <${Actions} alert=${alert} />
    </header>
    ${alert.parent && html`<p class="folded-under">${t("symptoms.under")} <a href=${href("alerts", alert.parent)}>${titleOf(alerts.get(alert.parent) ?? alert)}</a></p>`}
    ${alert.first_out && !isFirstOut(alert) && html`<p class="folded-under">${t("mark.came_after")} <a href=${href("alerts", alert.first_out)}>${titleOf(alerts.get(alert.first_out) ?? alert)}</a></p>`}
    <${Advice} alert=${alert} />
    <${Symptoms} alert=${alert} />
    <${EscalationStory} alert=${alert} />
    <${Plan} alert=${alert} />
    <${Order} alert=${alert} />
    <${Why} alert=${alert} />
    ${alert.device && html`<${DeviceCard} id=${alert.device} />`}
    <${Related} alert=${alert} />
    <${Story} alert=${alert} />
    ${may("engineer") && html`<p class="incident"><a class="button" href=${`/api/v1/alerts/${encodeURIComponent(alert.id)}/incident`} download>${t("detail.incident")}</a></p>`}
  </article>`;
}

function Nothing() {
  return html`<div class="nothing"><p>${t("detail.nothing")}</p>
    <dl class="key-list">${[["J K", "keys.move"], ["A", "keys.acknowledge"], ["H", "keys.shelve"], ["S", "keys.silence"], ["?", "keys.help"]].map(
      ([key, text]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${t(text)}</dd></div>`)}</dl></div>`;
}

/** @param {{alert: Alert}} props */
function Facts({ alert }) {
  const ended = alert.returned_at ?? alert.closed_at;
  return html`<dl class="facts">
    <div><dt>${t("detail.since")}</dt><dd>${moment(alert.raised_at)} <span class="muted">${t("ago", { span: since(alert.raised_at) })}</span></dd></div>
    ${alert.count > 1 && html`<div><dt>${t("detail.count")}</dt><dd>${t("detail.times", { n: alert.count, time: moment(alert.last_at) })}</dd></div>`}
    ${alert.owner && html`<div><dt>${t("detail.owner")}</dt><dd>${bare(alert.owner)} <span class="muted">${moment(alert.owner_at)}</span></dd></div>`}
    ${alert.acknowledged_by && html`<div><dt>${t("state.acknowledged")}</dt><dd>${bare(alert.acknowledged_by)} <span class="muted">${moment(alert.acknowledged_at)}</span></dd></div>`}
    ${ended && html`<div><dt>${t("state.returned")}</dt><dd>${moment(ended)}</dd></div>`}
    ${isShelved(alert) && html`<div><dt>${stateWord(alert)}</dt><dd>${t("detail.shelved", { who: bare(alert.shelving?.by), reason: alert.shelving?.reason ?? "", span: span(-age(alert.shelving?.until_at)) })}</dd></div>`}
  </dl>`;
}

/** @param {{alert: Alert}} props */
function Advice({ alert }) {
  const advice = say(alert.advice);
  const consequence = say(alert.consequence);
  if (!advice && !consequence) return null;
  return html`<section class="advice"><h3>${t("detail.advice")}</h3>
    ${advice && html`<p class="advice-text">${advice}</p>`}
    ${consequence && html`<p class="consequence"><span class="muted">${t("detail.consequence")}</span> ${consequence}</p>`}</section>`;
}

/** @param {{alert: Alert}} props */
function Plan({ alert }) {
  const run = runs.get(alert.plan_run);
  if (!run) return null;
  return html`<section><h3>${t("detail.plan")}<a href=${href("plans", run.id)}>${say(run.title, run.plan)}</a></h3><${Steps} run=${run} compact=${true} /></section>`;
}

/** @param {{alert: Alert}} props */
function Order({ alert }) {
  if (!alert.work_order) return null;
  const order = orders.get(alert.work_order);
  return html`<section><h3>${t("detail.order")}<a href=${href("orders", alert.work_order)}>${order?.number ?? alert.work_order}</a></h3>
    ${order && html`<p>${t(`order.${order.state}`)} · ${word("team", order.team) || t("orders.no_team")}${order.assignee && ` · ${bare(order.assignee)}`}
      ${promise(order)?.late && html` <span class="tag late">${t("orders.overdue")}</span>`}</p>`}</section>`;
}

/** Other open alerts of the same device. @param {{alert: Alert}} props */
function Related({ alert }) {
  const related = alerts.all().filter((other) => other.id !== alert.id && other.state !== "closed"
    && alert.device !== null && other.device === alert.device && other.parent !== alert.id).slice(0, 12);
  if (!related.length) return null;
  return html`<section><h3>${t("detail.related")}<span class="count">${related.length}</span></h3>
    <ul class="plain">${related.map((other) => html`<li key=${other.id}><a class="line" href=${href("alerts", other.id)}>
      <${Level} level=${other.severity} /><span class="grow">${titleOf(other)}</span><span class="muted">${since(other.raised_at)}</span></a></li>`)}</ul></section>`;
}

/** Who did what, newest first. @param {{alert: Alert}} props */
function Story({ alert }) {
  const lines = [
    { at: alert.raised_at, who: "", what: t("story.raised") },
    ...(alert.acknowledged_at ? [{ at: alert.acknowledged_at, who: bare(alert.acknowledged_by), what: t("story.acknowledged") }] : []),
    ...(alert.returned_at ? [{ at: alert.returned_at, who: "", what: t("story.returned") }] : []),
    ...(alert.closed_at ? [{ at: alert.closed_at, who: bare(alert.closed_by), what: t("story.closed") }] : []),
    ...(alert.comments ?? []).map((comment) => ({ at: comment.written_at, who: bare(comment.by), what: comment.text })),
  ].sort((a, b) => String(b.at).localeCompare(String(a.at)));
  return html`<section><h3>${t("detail.story")}</h3><ol class="story">${lines.map((line, index) => html`<li key=${index}>
    <time>${moment(line.at)}</time><span class="who">${line.who}</span><span class="grow">${line.what}</span></li>`)}</ol></section>`;
}
