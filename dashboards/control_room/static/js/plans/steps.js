/** The steps of a running plan: who does what by when; a failed or overdue one stands out and stops nothing. */
import { classes, html, useEffect, useState } from "../html.js";
import { get, may, post } from "../api.js";
import { age, clock, span } from "../format.js";
import { say, t, word } from "../i18n.js";
import { tick } from "../live/clock.js";
import { commands, runs } from "../live/store.js";
import { attempt } from "../notices.js";
import { deviceName } from "../place.js";
import { bare } from "../words.js";
import { Icon } from "../widgets/icon.js";
import { Dialog } from "../widgets/dialog.js";

/** @typedef {import("../types.js").PlanRun} PlanRun */
/** @typedef {import("../types.js").StepRun} StepRun */

/** @param {{run: PlanRun, compact?: boolean}} props */
export function Steps({ run, compact = false }) {
  const missing = run.steps.flatMap((step) => step.commands).filter((id) => !commands.items.has(id)).join(" ");
  useEffect(() => {
    const ids = missing.split(" ").filter(Boolean).slice(0, 100);
    for (const id of ids) get(`/commands/${encodeURIComponent(id)}`).then((command) => commands.put(command), () => undefined);
  }, [missing]);
  return html`<ol class=${classes("steps", compact && "compact")}>${run.steps.map((step, index) => html`<${Step} key=${step.id} run=${run} step=${step} number=${index + 1} compact=${compact} />`)}</ol>`;
}

/** Whether a person can finish the step now. @param {PlanRun} run @param {StepRun} step */
const actionable = (run, step) => run.state === "running" && !step.automatic && ["active", "overdue"].includes(step.state) && may("operator");

/** @param {{run: PlanRun, step: StepRun, number: number, compact: boolean}} props */
function Step({ run, step, number, compact }) {
  const [asking, setAsking] = useState("");
  const path = `/plan-runs/${encodeURIComponent(run.id)}/steps/${encodeURIComponent(step.id)}`;
  const tell = (/** @type {string} */ verb, /** @type {Record<string, string>} */ body) => attempt(async () => {
    const after = await post(`${path}/${verb}`, body);
    if (after?.id === run.id && after.steps) runs.put(after);
  });
  const finish = (/** @type {string} */ state, note = "") => tell("complete", { state, ...(note ? { note } : {}) });
  return html`<li class=${classes("step", `step-${step.state}`)}>
    <span class="step-mark" aria-hidden="true">${step.state === "done" ? html`<${Icon} name="check" />` : step.state === "failed" ? html`<${Icon} name="close" />` : number}</span>
    <div class="step-body">
      <p class="step-title">${say(step.title, step.id)}</p>
      <p class="step-facts"><span class="step-word">${step.not_needed ? t("step.not_needed") : t(`step.${step.state}`)}</span>
        <span class="line-icon"><${Icon} name=${step.automatic ? "auto" : "hand"} />${step.automatic ? t("plans.automatic") : word("team", step.role) || t("plans.manual")}</span>
        <${Timer} step=${step} />${step.done_by && html`<span>${bare(step.done_by)}</span>`}</p>
      ${!compact && say(step.advice) && ["active", "overdue"].includes(step.state) && html`<p class="step-advice">${say(step.advice)}</p>`}
      <${Notes} step=${step} />
      <${StepCommands} step=${step} />
      <${Retry} run=${run} step=${step} onRetry=${() => tell("retry", {})} />
      ${actionable(run, step) && html`<div class="step-actions">
        <${Endings} step=${step} onEnd=${(/** @type {string} */ answer) => tell("complete", { state: "done", ...(answer ? { answer } : {}) })} />
        <button type="button" onClick=${() => setAsking("failed")}>${t("step.do.failed")}</button>
        <button type="button" onClick=${() => setAsking("skipped")}>${t("step.do.skipped")}</button></div>`}
    </div>
    ${asking && html`<${Ask} step=${step} state=${asking} onClose=${() => setAsking("")} onSend=${(/** @type {string} */ note) => finish(asking, note).then((fine) => fine && setAsking(""))} />`}
  </li>`;
}

/** Done, or the answers to the step's question. @param {{step: StepRun, onEnd: (answer: string) => void}} props */
function Endings({ step, onEnd }) {
  const answers = Object.entries(step.answers ?? {});
  if (!answers.length) return html`<button type="button" class="primary" onClick=${() => onEnd("")}>${t("step.do.done")}</button>`;
  return answers.map(([id, text]) => html`<button key=${id} type="button" class="primary" onClick=${() => onEnd(id)}>${say(text, id)}</button>`);
}

/** A failed automatic step may be done again, for the devices that did not do it. @param {{run: PlanRun, step: StepRun, onRetry: () => void}} props */
function Retry({ run, step, onRetry }) {
  if (run.state !== "running" || run.drill || !step.automatic || step.state !== "failed" || !may("operator")) return null;
  return html`<div class="step-actions"><button type="button" onClick=${onRetry}>${t("step.retry")}</button></div>`;
}

/** What was left out, noted, answered, and who was told that it is late. @param {{step: StepRun}} props */
function Notes({ step }) {
  const told = step.escalated ?? [];
  return html`${step.left_out?.length > 0 && html`<p class="step-note">${t("step.left_out", { devices: step.left_out.map(deviceName).join(", ") })}</p>`}
    ${step.note && !(step.left_out?.length && step.state === "skipped") && html`<p class="step-note">${step.note}</p>`}
    ${step.answer && html`<p class="step-note">${say(step.answers?.[step.answer], step.answer)}</p>`}
    ${told.length > 0 && html`<p class="step-note">${t("step.escalated", { roles: told.map((role) => word("team", role)).join(", ") })}</p>`}`;
}

/** How long the step may still take, or took. @param {{step: StepRun}} props */
function Timer({ step }) {
  void tick.value;
  if (step.finished_at) return html`<span class="timer">${clock(step.finished_at)}</span>`;
  if (step.state === "waiting") return step.within ? html`<span class="timer">${t("plans.within", { span: span(step.within) })}</span>` : null;
  if (!step.complete_by) return step.started_at ? html`<span class="timer">${span(age(step.started_at))}</span>` : null;
  const left = -age(step.complete_by);
  return html`<span class=${classes("timer", left < 0 && "late")}><${Icon} name="clock" />${left < 0 ? t("over_by", { span: span(-left) }) : t("left", { span: span(left) })}</span>`;
}

/** The commands an automatic step sent, and what became of each. @param {{step: StepRun}} props */
function StepCommands({ step }) {
  const sent = step.commands.map((id) => commands.get(id)).filter((command) => command !== undefined);
  if (!step.commands.length) return null;
  if (!sent.length) return html`<p class="muted small">${t("plans.commands", { n: step.commands.length })}</p>`;
  const states = /** @type {Map<string, number>} */ (new Map());
  for (const command of sent) states.set(command.state, (states.get(command.state) ?? 0) + 1);
  return html`<p class="step-commands">${[...states].map(([state, n]) => html`<span key=${state} class=${`tag command-${state}`}>${n} ${word("command_state", state)}</span>`)}</p>`;
}

/** Why a step failed or was left out. @param {{step: StepRun, state: string, onClose: () => void, onSend: (note: string) => void}} props */
function Ask({ step, state, onClose, onSend }) {
  const [note, setNote] = useState("");
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    onSend(note.trim());
  };
  return html`<${Dialog} title=${t(`step.do.${state}`)} onClose=${onClose}><form onSubmit=${send}>
    <p class="about">${say(step.title)}</p>
    <label class="field">${t("step.note")}<textarea required rows="3" maxlength="1000" value=${note} onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setNote(event.currentTarget.value)}></textarea></label>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t(`step.do.${state}`)}</button></div></form></${Dialog}>`;
}
