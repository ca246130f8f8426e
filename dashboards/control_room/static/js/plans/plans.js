/** Emergency plans: what runs now, what ran, and starting one. */
import { classes, html, useState } from "../html.js";
import { may, post, session } from "../api.js";
import { age, moment, number, span } from "../format.js";
import { say, t } from "../i18n.js";
import { tick } from "../live/clock.js";
import { devices, plans, runs, sites, zones } from "../live/store.js";
import { attempt } from "../notices.js";
import { placeOf } from "../place.js";
import { go, href, route } from "../route.js";
import { bare } from "../words.js";
import { Dialog } from "../widgets/dialog.js";
import { HoldButton } from "../widgets/hold.js";
import { logLine } from "./log_line.js";
import { Steps } from "./steps.js";

/** @typedef {import("../types.js").PlanRun} PlanRun */

/** The screen. */
export function Plans() {
  const [starting, setStarting] = useState(false);
  const all = runs.all().sort((a, b) => Number(b.state === "running") - Number(a.state === "running") || String(b.started_at).localeCompare(String(a.started_at)));
  const chosen = runs.get(route.value.id) ?? all[0];
  return html`<div class="screen board-split">
    <section class="panel" aria-labelledby="plans-title">
      <header class="panel-head"><h1 id="plans-title">${t("nav.plans")}</h1><span class="spacer"></span>
        ${may("operator") && html`<button type="button" onClick=${() => setStarting(true)}>${t("plans.start")}</button>`}</header>
      ${all.length ? html`<ul class="cards">${all.map((run) => html`<li key=${run.id}><${Card} run=${run} chosen=${run.id === chosen?.id} /></li>`)}</ul>` : html`<p class="empty muted">${runs.loaded.value ? t("plans.none") : t("loading")}</p>`}
    </section>
    <section class="panel" aria-label=${t("plans.board")}>${chosen ? html`<${Board} key=${chosen.id} run=${chosen} />` : html`<${Book} />`}</section>
    ${starting && html`<${Start} onClose=${() => setStarting(false)} />`}
  </div>`;
}

/** @param {{run: PlanRun, chosen: boolean}} props */
function Card({ run, chosen }) {
  void tick.value;
  const finished = run.steps.filter((step) => ["done", "failed", "skipped"].includes(step.state)).length;
  const bad = run.steps.some((step) => step.state === "overdue" || step.state === "failed");
  return html`<a class=${classes("card", chosen && "chosen", run.state !== "running" && "past")} href=${href("plans", run.id)} aria-current=${chosen ? "true" : undefined}>
    <span class="card-title">${say(run.title, run.plan)}</span><span class="muted">${placeOf(run).join(" › ")}</span>
    <span class="card-foot"><span class="tag">${t(`run.${run.state}`)}</span>${run.drill && html`<span class="tag drill">${t("plans.drill")}</span>`}
      <span class=${classes("progress", bad && "late")}><span class="bar" aria-hidden="true"><span style=${{ width: `${(100 * finished) / Math.max(1, run.steps.length)}%` }}></span></span>${finished}/${run.steps.length}</span>
      <span class="spacer"></span><span class="muted">${run.state === "running" ? span(age(run.started_at)) : moment(run.finished_at)}</span></span></a>`;
}

/** One run, step by step. @param {{run: PlanRun}} props */
function Board({ run }) {
  const [asking, setAsking] = useState(false);
  const approve = () => attempt(async () => { runs.put(await post(`/plan-runs/${encodeURIComponent(run.id)}/approve`)); }, t("plans.begun"));
  return html`<article class=${classes("sheet board", run.drill && "is-drill")}>
    <header class="sheet-head">
      <p class="sheet-line"><span class="tag">${t(`run.${run.state}`)}</span>${run.drill && html`<span class="tag drill">${t("plans.drill_long")}</span>`}<span class="spacer"></span><span class="muted mono">${run.id}</span></p>
      <h2>${say(run.title, run.plan)}</h2><p class="where">${placeOf(run).join(" › ")}</p>
      <dl class="facts"><div><dt>${t("plans.started")}</dt><dd>${moment(run.started_at)} <span class="muted">${bare(run.started_by)}</span></dd></div>
        <div><dt>${t("plans.running_for")}</dt><dd><${Elapsed} run=${run} /></dd></div>
        ${run.alert && html`<div><dt>${t("plans.alert")}</dt><dd><a href=${href("alerts", run.alert)}>${run.alert}</a></dd></div>`}</dl>
      ${run.drill && html`<p class="drill-banner">${t("plans.drill_banner")}</p>`}
      ${say(run.scenario) && html`<p class="step-advice"><strong>${t("plans.scenario")}</strong> ${say(run.scenario)}</p>`}
      ${say(run.watch) && html`<p class="step-advice"><strong>${t("plans.watch")}</strong> ${say(run.watch)}</p>`}
      ${run.state === "proposed" && html`<p class="warning-line">${t("plans.proposed")}</p>`}
      ${run.preempted_by && html`<p class="warning-line">${t("plans.preempted")} <a href=${href("plans", run.preempted_by)}>${run.preempted_by}</a></p>`}
      ${run.score != null && html`<p class="score"><strong>${number(run.score, 1)} %</strong> ${t("plans.score")}</p>`}
      <div class="actions">${["running", "proposed"].includes(run.state) && may("operator") && html`<button type="button" onClick=${() => setAsking(true)}>${t("plans.stop")}</button>`}
        ${run.state === "proposed" && may("operator") && run.started_by !== `user:${session.value?.name}` && html`<${HoldButton} label=${t("plans.approve")} hint=${t("plans.real_warning")} onHeld=${approve} />`}
        <a class="button-link" target="_blank" rel="noopener" href=${`./api/v1/plan-runs/${encodeURIComponent(run.id)}/report?format=html&lang=${document.documentElement.lang.slice(0, 2)}`}>${t("plans.report")}</a></div>
    </header>
    <section><${Steps} run=${run} /></section>
    <section><h3>${t("plans.log")}</h3><ol class="story">${[...(run.log ?? [])].reverse().map((line, index) => html`<li key=${index}><time>${moment(line.entry_at)}</time><span class="who">${bare(line.by)}</span><span class="grow">${logLine(run, line)}</span></li>`)}</ol></section>
    ${asking && html`<${Stop} run=${run} onClose=${() => setAsking(false)} />`}
  </article>`;
}

/** @param {{run: PlanRun}} props */
function Elapsed({ run }) {
  void tick.value;
  return html`<span>${run.finished_at ? span(age(run.started_at) - age(run.finished_at)) : span(age(run.started_at))}</span>`;
}

/** @param {{run: PlanRun, onClose: () => void}} props */
function Stop({ run, onClose }) {
  const [reason, setReason] = useState("");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(async () => {
      const answer = await post(`/plan-runs/${encodeURIComponent(run.id)}/stop`, { reason: reason.trim() });
      if (answer?.id === run.id && answer.steps) runs.put(answer);
    }, t("plans.stopped"))) onClose();
  };
  return html`<${Dialog} title=${t("plans.stop")} onClose=${onClose}><form onSubmit=${send}><p class="about">${say(run.title)}</p>
    <label class="field">${t("plans.stop_reason")}<input required maxlength="500" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("plans.stop")}</button></div></form></${Dialog}>`;
}

/** The plans there are, when none has run yet. */
function Book() {
  const all = plans.all();
  return html`<div class="nothing"><p>${t("plans.quiet")}</p><ul class="plain">${all.map((plan) => html`<li key=${plan.id} class="line"><span class="grow">${say(plan.title, plan.id)}</span><span class="muted">${t("plans.steps", { n: plan.steps?.length ?? 0 })}</span></li>`)}</ul></div>`;
}

/** @param {{onClose: () => void}} props */
function Start({ onClose }) {
  const all = plans.all();
  const [plan, setPlan] = useState("");
  const [device, setDevice] = useState("");
  const [zone, setZone] = useState("");
  const [drill, setDrill] = useState(true);
  const known = devices.get(device);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const site = known?.site ?? zones.get(zone)?.site ?? sites.all()[0]?.id;
    if (await attempt(async () => {
      const run = await post(`/plans/${encodeURIComponent(plan)}/runs`, { site, drill, ...(device ? { device } : {}), ...(zone ? { zone } : {}) });
      if (run?.id && run.steps) {
        runs.put(run);
        go("plans", run.id);
      }
    }, t("plans.begun"))) onClose();
  };
  return html`<${Dialog} title=${t("plans.start")} onClose=${onClose}><form onSubmit=${send}>
    <label class="field">${t("plans.plan")}<select required value=${plan} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setPlan(event.currentTarget.value)}>
      <option value=""></option>${all.map((each) => html`<option key=${each.id} value=${each.id}>${say(each.title, each.id)}</option>`)}</select></label>
    <label class="field">${t("plans.zone")}<select value=${zone} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setZone(event.currentTarget.value)}>
      <option value=""></option>${zones.all().map((each) => html`<option key=${each.id} value=${each.id}>${say(each.name, each.id)}</option>`)}</select></label>
    <label class="field">${t("plans.device")}<input list="plan-devices" value=${device} autocomplete="off" onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setDevice(event.currentTarget.value)} />
      <datalist id="plan-devices">${devices.all().slice(0, 1000).map((each) => html`<option key=${each.id} value=${each.id}>${say(each.name, each.id)}</option>`)}</datalist></label>
    <fieldset class="choices"><legend>${t("plans.kind")}</legend>
      <label class="choice"><input type="radio" name="drill" checked=${drill} onChange=${() => setDrill(true)} /><span>${t("plans.drill_long")}</span></label>
      <label class="choice danger"><input type="radio" name="drill" checked=${!drill} onChange=${() => setDrill(false)} /><span>${t("plans.real")}</span></label></fieldset>
    ${!drill && html`<p class="warning-line">${t("plans.real_warning")}</p>`}
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("plans.start")}</button></div></form></${Dialog}>`;
}
