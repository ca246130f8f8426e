/** Schedules 计划 with their next times, and the rounds 巡更 that are walked. */
import { classes, html, useState } from "../html.js";
import { may, post } from "../api.js";
import { hourMinute, moment, number } from "../format.js";
import { usePolled } from "../health/polled.js";
import { say, t } from "../i18n.js";
import { attempt } from "../notices.js";
import { bare } from "../words.js";
import { Dialog } from "../widgets/dialog.js";

/** The screen. */
export function Schedules() {
  const [answer, again] = usePolled("/schedules", 30);
  const [pausing, setPausing] = useState("");
  const items = /** @type {any[]} */ (answer?.items ?? []);
  const act = (/** @type {string} */ id, /** @type {string} */ verb, body = {}) => attempt(async () => {
    await post(`/schedules/${encodeURIComponent(id)}/${verb}`, body);
    again();
  }, t("schedules.changed"));
  return html`<div class="screen pair">
    <section class="panel" aria-labelledby="schedules-title"><header class="panel-head"><h1 id="schedules-title">${t("nav.schedules")}</h1><span class="muted">${items.length || ""}</span></header>
      <div class="scroll" tabindex="0" role="group" aria-label=${t("nav.schedules")}><table>
        <thead><tr><th>${t("schedules.what")}</th><th>${t("schedules.next")}</th><th>${t("schedules.last")}</th><th>${t("schedules.how")}</th><th><span class="visually-hidden">${t("detail.actions")}</span></th></tr></thead>
        <tbody>${items.map((item) => html`<${Row} key=${item.id} item=${item} act=${act} pause=${() => setPausing(item.id)} />`)}</tbody></table>
        ${!items.length && html`<p class="empty muted">${answer ? t("schedules.none") : t("loading")}</p>`}</div></section>
    <section class="panel" aria-labelledby="rounds-title"><${Rounds} /></section>
    ${pausing && html`<${Pause} onClose=${() => setPausing("")} onPause=${async (/** @type {string} */ reason) => { if (await act(pausing, "pause", { reason })) setPausing(""); }} />`}
  </div>`;
}

/** @param {{item: any, act: (id: string, verb: string) => void, pause: () => void}} props */
function Row({ item, act, pause }) {
  const total = Object.values(item.totals ?? {}).reduce((/** @type {number} */ most, one) => Math.max(most, Number(one)), 0);
  const counted = item.counts && (item.counts.running ? t("schedules.hours", { n: number(total / 3600, 1), all: number(item.counts.every / 3600) }) : t("schedules.times", { n: number(total), all: number(item.counts.every) }));
  return html`<tr class=${classes(item.paused && "past")}>
    <td><span class="card-title">${say(item.title, item.id)}</span><br /><span class="muted">${t(`schedule_does.${item.does}`)}</span></td>
    <td class="nowrap">${item.paused ? html`<span class="tag">${t("schedules.paused")}</span> ${item.paused}` : counted || (item.next_times[0] ? moment(item.next_times[0]) : "–")}</td>
    <td class="nowrap">${item.last_at ? moment(item.last_at) : "–"}</td>
    <td>${item.problem ? html`<span class="late">${item.problem}</span>` : t("schedules.ran", { n: item.ran })}${item.missed > 0 && html` <span class="tag warn">${t("schedules.missed", { n: item.missed })}</span>`}</td>
    <td class="number">${may("engineer") && html`<button type="button" class="quiet-button" onClick=${() => act(item.id, "run")}>${t("schedules.run")}</button>
      ${item.paused ? html`<button type="button" class="quiet-button" onClick=${() => act(item.id, "resume")}>${t("schedules.resume")}</button>` : html`<button type="button" class="quiet-button" onClick=${pause}>${t("schedules.pause")}</button>`}`}</td></tr>`;
}

/** @param {{onClose: () => void, onPause: (reason: string) => void}} props */
function Pause({ onClose, onPause }) {
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onPause(String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get("reason")).trim());
  };
  return html`<${Dialog} title=${t("schedules.pause")} onClose=${onClose}><form onSubmit=${submit}><label class="field">${t("orders.reason")}<input name="reason" required maxlength="128" /></label>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("schedules.pause")}</button></div></form></${Dialog}>`;
}

/** The newest rounds, each with its points. */
function Rounds() {
  const [answer, again] = usePolled("/rounds?limit=20", 15);
  const items = /** @type {any[]} */ (answer?.items ?? []);
  const check = (/** @type {string} */ round, /** @type {string} */ point) => attempt(async () => {
    await post(`/rounds/${encodeURIComponent(round)}/check`, { point });
    again();
  }, t("schedules.changed"));
  return html`<header class="panel-head"><h2 id="rounds-title">${t("rounds.title")}</h2></header>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="rounds-title">${items.map((item) => html`<section key=${item.id} class="round"><h3>${say(item.title, item.schedule)} <span class="muted">${moment(item.started_at)}</span> <span class=${classes("tag", item.state !== "finished" && item.state !== "running" && "warn")}>${t(`round.${item.state}`)}</span></h3>
      <ul class="story">${item.points.map((/** @type {any} */ point) => html`<li key=${point.id}><span class=${classes("tag", point.state === "missed" && "warn")}>${t(`point.${point.state}`)}</span>
        <span class="grow">${say(point.title, point.id)} <span class="muted">${hourMinute(point.from_at)}–${hourMinute(point.until_at)} ${bare(point.visited_by) || point.visited_by}</span>${!point.in_order && html` <span class="tag warn">${t("rounds.out_of_order")}</span>`}</span>
        ${may("operator") && ["waiting", "missed"].includes(point.state) && ["running", "overdue"].includes(item.state) && html`<button type="button" class="quiet-button" onClick=${() => check(item.id, point.id)}>${t("rounds.check")}</button>`}</li>`)}</ul></section>`)}
      ${!items.length && html`<p class="empty muted">${answer ? t("rounds.none") : t("loading")}</p>`}</div>`;
}
