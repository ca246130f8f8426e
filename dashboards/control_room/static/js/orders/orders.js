/** Work orders 工单: who has to mend what by when; as a list or as a board by state. */
import { classes, html, signal, useEffect, useRef } from "../html.js";
import { age, moment, shortSpan, since } from "../format.js";
import { say, t, word } from "../i18n.js";
import { useKeys } from "../keys.js";
import { tick } from "../live/clock.js";
import { closedFrom, fetchAgain, olderOrders } from "../live/load.js";
import { orders } from "../live/store.js";
import { wrong } from "../notices.js";
import { conditionOf, placeOf, titleOf } from "../place.js";
import { SearchBox } from "../queue/filters.js";
import { go, href, route } from "../route.js";
import { found } from "../search.js";
import { promise } from "./promise.js";
import { bare } from "../words.js";
import { Icon, Level } from "../widgets/icon.js";
import { Grid } from "../widgets/virtual.js";
import { OrderPane } from "./order.js";

/** @typedef {import("../types.js").WorkOrder} WorkOrder */

const STATES = /** @type {const} */ (["open", "assigned", "accepted", "in_progress", "done", "verified", "closed"]);
const COLUMNS = [["open"], ["assigned", "accepted"], ["in_progress"], ["done", "verified"]];
const search = signal("");
const view = signal("list");
const showClosed = signal(false);
const which = signal("all");
/** Which of the orders the chips show. */
const WHICH = /** @type {Record<string, (order: WorkOrder) => boolean>} */ ({
  all: () => true,
  requests: (order) => order.source === "resident" && order.kind !== "complaint",
  complaints: (order) => order.kind === "complaint",
  planned: (order) => order.source === "schedule",
  visits: (order) => Boolean(order.visit_wanted && !order.visit),
});

/** @param {WorkOrder} order */
const sortKey = (order) => String(promise(order)?.by ?? "9");

/** The screen. */
export function Orders() {
  const box = useRef(/** @type {HTMLInputElement|null} */ (null));
  const pane = useRef(/** @type {HTMLElement|null} */ (null));
  const text = search.value.trim();
  const list = orders.all()
    .filter((order) => WHICH[which.value](order) && (showClosed.value || which.value === "visits" || order.state !== "closed") && (!text || found(text, [order.number, say(order.title), order.team, order.assignee, ...placeOf(order)])))
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) && Number(a.state === "closed") - Number(b.state === "closed") || sortKey(a).localeCompare(sortKey(b)));
  const chosen = route.value.id;
  useEffect(() => {
    if (chosen && !orders.items.has(chosen)) fetchAgain("work_order", chosen);
  }, [chosen]);
  const late = list.filter((order) => promise(order)?.late).length;
  const step = (/** @type {number} */ by) => {
    const at = list.findIndex((order) => order.id === route.peek().id);
    const next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))];
    if (next) go("orders", next.id);
  };
  useKeys({ j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), "/": () => box.current?.focus(), Enter: () => pane.current?.focus() });
  return html`<div class="screen split">
    <section class="panel" aria-labelledby="orders-title">
      <header class="panel-head"><h1 id="orders-title">${t("nav.orders")}</h1><span class=${classes("muted", late > 0 && "late")}>${late > 0 && t("orders.late", { n: late })}</span><span class="spacer"></span>
        <div class="chips" role="group" aria-label=${t("orders.view")}>${[["list", "list"], ["board", "board"]].map(([name, icon]) => html`<button key=${name} type="button" class="chip" aria-pressed=${view.value === name ? "true" : "false"}
          onClick=${() => { view.value = name; }}><${Icon} name=${icon} />${t(`orders.view.${name}`)}</button>`)}</div></header>
      <div class="filters"><${SearchBox} box=${box} value=${search} label=${t("orders.search")} />
        <button type="button" class="chip" aria-pressed=${showClosed.value ? "true" : "false"} onClick=${() => { showClosed.value = !showClosed.value; if (showClosed.value && closedFrom.value === "") olderOrders().catch(wrong); }}>${t("orders.show_closed")}</button>
        ${showClosed.value && closedFrom.value && html`<button type="button" class="chip" onClick=${() => olderOrders().catch(wrong)}>${t("orders.older")}</button>`}
        <div class="chips" role="group" aria-label=${t("orders.which")}>${Object.keys(WHICH).map((name) => html`<button key=${name} type="button" class="chip" aria-pressed=${which.value === name ? "true" : "false"} onClick=${() => { which.value = name; }}>${t(`orders_which.${name}`)}</button>`)}</div></div>
      ${view.value === "board" ? html`<${Board} list=${list} chosen=${chosen} />` : html`<${Grid} name="orders" label=${t("nav.orders")} items=${list} cursor=${chosen} now=${() => route.peek().id} onCursor=${(/** @type {string} */ id) => go("orders", id)}
        onOpen=${() => pane.current?.focus()} header=${html`<${Head} />`} row=${(/** @type {WorkOrder} */ item, /** @type {object} */ row) => html`<${Row} order=${item} row=${row} />`}
        empty=${html`<p class="muted">${orders.loaded.value ? t("orders.none") : t("loading")}</p>`} />`}
    </section>
    <aside class="panel detail" ref=${pane} tabindex="-1" aria-label=${t("orders.title")}><${OrderPane} order=${orders.get(chosen)} /></aside>
  </div>`;
}

function Head() {
  return html`<span role="columnheader">${t("column.priority")}</span><span role="columnheader">${t("column.what")}</span><span role="columnheader" class="col-place">${t("column.place")}</span>
    <span role="columnheader">${t("column.state")}</span><span role="columnheader" class="col-team">${t("column.team")}</span><span role="columnheader" class="number">${t("column.clock")}</span>`;
}

/** @param {{order: WorkOrder, row: object}} props */
function Row({ order, row }) {
  const place = placeOf(order);
  return html`<div ...${row} class=${classes("row", order.state === "closed" && "past")}>
    <span role="gridcell"><${Level} level=${order.priority} /></span>
    <span role="gridcell" class="what"><span class="text">${conditionOf(order)}</span><span class="place-line"><span class="mono">${order.number}</span> · ${place.join(" › ")}</span></span>
    <span role="gridcell" class="col-place"><span class="thing">${place.at(-1)}</span><span class="around">${place.slice(0, -1).join(" › ")}</span></span>
    <span role="gridcell" class="state"><span>${t(`order.${order.state}`)}</span><span class="who">${bare(order.assignee)}</span></span>
    <span role="gridcell" class="col-team">${word("team", order.team)}</span>
    <span role="gridcell" class="number"><${Clock} order=${order} /></span>
  </div>`;
}

/** The time that is left, or by how much the promise is broken. @param {{order: WorkOrder}} props */
export function Clock({ order }) {
  void tick.value;
  const due = promise(order);
  if (!due) return html`<span class="muted">${order.closed_at ? moment(order.closed_at) : since(order.opened_at)}</span>`;
  const left = -age(due.by);
  return html`<span class=${classes("sla", due.late && "late")}><span class="muted">${t(due.word)}</span> ${due.late ? t("over_by", { span: shortSpan(-left) }) : shortSpan(left)}</span>`;
}

/** @param {{list: WorkOrder[], chosen: string}} props */
function Board({ list, chosen }) {
  const columns = showClosed.value ? [...COLUMNS, ["closed"]] : COLUMNS;
  return html`<div class="columns">${columns.map((states) => {
    const held = list.filter((order) => states.includes(order.state));
    return html`<section key=${states[0]} class="column" aria-label=${t(`order.${states[0]}`)}><h2>${states.map((state) => t(`order.${state}`)).join(" / ")}<span class="count">${held.length}</span></h2>
      <ul class="cards">${held.slice(0, 200).map((order) => html`<li key=${order.id}><a class=${classes("card", order.id === chosen && "chosen")} href=${href("orders", order.id)}>
        <span class="card-title">${titleOf(order)}</span><span class="muted">${placeOf(order).join(" › ")}</span>
        <span class="card-foot"><${Level} level=${order.priority} /><span class="spacer"></span><${Clock} order=${order} /></span></a></li>`)}</ul></section>`;
  })}</div>`;
}
