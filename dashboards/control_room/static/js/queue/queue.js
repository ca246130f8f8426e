/** The home of the operator: the alerts that need a person, the most urgent and oldest first. */
import { classes, html, useRef } from "../html.js";
import { Detail } from "../detail/detail.js";
import { escalationWord } from "../detail/escalation.js";
import { acknowledge, shelve } from "../detail/actions.js";
import { hourMinute, since } from "../format.js";
import { say, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { tick } from "../live/clock.js";
import { alerts, isShelved, orders, runs } from "../live/store.js";
import { recentAlerts } from "../live/load.js";
import { promise } from "../orders/promise.js";
import { conditionOf, placeOf } from "../place.js";
import { go, route } from "../route.js";
import { bare, stateWord } from "../words.js";
import { Icon, Level, Shape } from "../widgets/icon.js";
import { Marks } from "./marks.js";
import { Grid } from "../widgets/virtual.js";
import { Filters } from "./filters.js";
import { AcknowledgeMany, ManyDialog } from "./many.js";
import { lastTrouble, rows, search, tab, tabCounts, TABS } from "./list.js";

/** @typedef {import("../types.js").Alert} Alert */

/** Acts on what is chosen now, not when the screen was last drawn. @param {(alert: Alert) => void} act */
function onChosen(act) {
  const alert = alerts.items.get(route.peek().id);
  if (alert) act(alert);
}

/** The screen: the queue on the left, what is chosen on the right. */
export function Queue() {
  const pane = useRef(/** @type {HTMLElement|null} */ (null));
  const searchBox = useRef(/** @type {HTMLInputElement|null} */ (null));
  const chosen = route.value.id;
  const alert = alerts.get(chosen);
  const grid = () => /** @type {HTMLElement|null} */ (document.querySelector(".grid-alerts .grid-scroll"));
  const step = (/** @type {number} */ by) => {
    const list = rows.peek();
    const at = list.findIndex((row) => row.id === route.peek().id);
    const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))];
    grid()?.focus();
    if (next) go("alerts", next.id);
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => pane.current?.focus(),
    a: () => onChosen(acknowledge),
    h: () => onChosen(shelve),
    "/": () => searchBox.current?.focus(),
    Escape: () => grid()?.focus(),
  });
  return html`<div class="screen split">
    <section class="panel queue" aria-labelledby="queue-title">
      <h1 id="queue-title" class="visually-hidden">${t("nav.alerts")}</h1>
      <div class="tab-row"><${Tabs} /><span class="spacer"></span><${AcknowledgeMany} /></div><${ManyDialog} />
      <${Filters} box=${searchBox} />
      <${Grid} name="alerts" label=${t("nav.alerts")} items=${rows.value} cursor=${chosen} now=${() => route.peek().id} onCursor=${(/** @type {string} */ id) => go("alerts", id)}
        onOpen=${() => pane.current?.focus()} header=${html`<${Head} />`} row=${(/** @type {Alert} */ item, /** @type {object} */ row) => html`<${Row} alert=${item} row=${row} />`}
        empty=${html`<${Quiet} />`} />
    </section>
    <aside class="panel detail" ref=${pane} tabindex="-1" aria-label=${t("detail.title")}>
      <${Detail} alert=${alert} />
    </aside>
  </div>`;
}

function Tabs() {
  const choose = (/** @type {typeof TABS[number]} */ name) => {
    tab.value = name;
    if (name === "all") recentAlerts();
  };
  const arrows = (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    choose(TABS[(TABS.indexOf(tab.peek()) + by + TABS.length) % TABS.length]);
    requestAnimationFrame(() => /** @type {HTMLElement|null} */ (document.querySelector(".tabs [aria-selected=true]"))?.focus());
  };
  return html`<div class="tabs" role="tablist" aria-label=${t("queue.tabs")} onKeyDown=${arrows}>
    ${TABS.map((name) => html`<button key=${name} type="button" role="tab" aria-selected=${tab.value === name ? "true" : "false"}
      tabindex=${tab.value === name ? 0 : -1} onClick=${() => choose(name)}>
      ${t(`tab.${name}`)}${name !== "all" && html`<span class="count">${tabCounts.value[name]}</span>`}</button>`)}
  </div>`;
}

function Head() {
  return html`<span role="columnheader">${t("column.level")}</span><span role="columnheader">${t("column.age")}</span>
    <span role="columnheader">${t("column.what")}</span><span role="columnheader" class="col-place">${t("column.place")}</span>
    <span role="columnheader" class="number">${t("column.count")}</span><span role="columnheader">${t("column.state")}</span>
    <span role="columnheader" class="col-work">${t("column.work")}</span>`;
}

/** @param {{alert: Alert, row: object}} props */
function Row({ alert, row }) {
  void tick.value;
  const place = placeOf(alert);
  const unseen = alert.state === "unacknowledged" || alert.state === "returned";
  const urgent = alert.severity === "critical" && alert.state === "unacknowledged" && !isShelved(alert);
  return html`<div ...${row} class=${classes("row", `is-${alert.severity}`, unseen && "unseen", !alert.active && "past", isShelved(alert) && "shelved")}>
    <span role="gridcell"><${Level} level=${alert.severity} urgent=${urgent} /></span>
    <span role="gridcell" class="age" title=${String(alert.raised_at)}>${since(alert.raised_at)}</span>
    <span role="gridcell" class="what"><span class="text" title=${say(alert.title, alert.rule)}><${Marks} alert=${alert} />${conditionOf(alert)}</span>
      <span class="place-line">${place.join(" › ")}</span></span>
    <span role="gridcell" class="col-place"><span class="thing">${place.at(-1)}</span><span class="around">${place.slice(0, -1).join(" › ")}</span></span>
    <span role="gridcell" class="number">${alert.count > 1 && `×${alert.count}`}${alert.children > 0 && html`<span class="fold" title=${t("queue.children")}>+${alert.children}</span>`}</span>
    <span role="gridcell" class="state"><span>${alert.state === "unacknowledged" && !isShelved(alert) ? t("state.new") : stateWord(alert)}</span><span class="who" title=${waiting(alert)}>${owner(alert)}</span></span>
    <span role="gridcell" class="col-work"><${Work} alert=${alert} /></span>
  </div>`;
}

/** What the few signs of `escalationWord` say, in a sentence. @param {Alert} alert */
const waiting = ({ escalation: where }) => (where?.next_at ? t("escalation.next", { n: where.level, all: where.levels, time: hourMinute(where.next_at) }) : "");

/** Who has it. @param {Alert} alert */
const owner = (alert) => bare(isShelved(alert) ? alert.shelving?.by : (alert.owner ?? alert.acknowledged_by)) || escalationWord(alert);

/** How far the alert's plan and order are. @param {{alert: Alert}} props */
function Work({ alert }) {
  const run = runs.get(alert.plan_run);
  const order = orders.get(alert.work_order);
  const finished = run?.steps.filter((step) => ["done", "skipped", "failed"].includes(step.state)).length ?? 0;
  const late = run?.steps.some((step) => step.state === "overdue" || step.state === "failed");
  return html`${run && html`<span class=${classes("progress", late && "late")} title=${say(run.title)}>
      <span class="bar" aria-hidden="true"><span style=${{ width: `${(100 * finished) / Math.max(1, run.steps.length)}%` }}></span></span>
      <span>${finished}/${run.steps.length}</span></span>`}
    ${alert.work_order && html`<span class=${classes("order-mark", order && promise(order)?.late && "late")}><${Icon} name="orders" />${order ? t(`order.${order.state}`) : t("queue.order")}</span>`}`;
}

/** What an empty queue says. */
function Quiet() {
  if (!alerts.loaded.value) return html`<p class="muted">${t("loading")}</p>`;
  if (search.value || tab.value !== "active") return html`<p class="muted">${t("queue.nothing")}</p>`;
  return html`<div class="quiet"><${Shape} level="low" /><p class="quiet-title">${t("queue.quiet")}</p>
    ${lastTrouble.value && html`<p class="muted">${t("queue.quiet_since", { time: hourMinute(lastTrouble.value) })}</p>`}</div>`;
}
