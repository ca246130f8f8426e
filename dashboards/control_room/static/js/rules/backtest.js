/** A backtest: choose rules and a span, run it with its progress shown, cancel it, see the comparison. */
import { html, useEffect, useState } from "../html.js";
import { call, get, post } from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { Report } from "./report.js";

/** @typedef {{id: string, state: string, progress: number, started_at: string, by: string, error: {code: string, detail: string}|null, report?: import("./report.js").Told|null}} Run */

const PATH = "/rules/backtest";
const DAYS = [1, 3, 7, 30];
const EVERY = 700;

export function Backtest() {
  const [run, setRun] = useState(/** @type {Run|null} */ (null));
  useNewest(run, setRun);
  const cancel = () => attempt(async () => { setRun(await call("DELETE", `${PATH}/${run?.id}`)); });
  return html`<${Form} busy=${run?.state === "running"} onStart=${setRun} />
    ${run && html`<section class="backtest" aria-live="polite" aria-label=${t("backtest.result")}>
      ${run.state === "running" && html`<p class="backtest-progress"><progress max="1" value=${run.progress} aria-label=${t("backtest.running")}></progress>
        <span>${t("backtest.running")} ${number(run.progress * 100, 0)} %</span><button type="button" onClick=${cancel}>${t("cancel")}</button></p>`}
      ${run.state === "cancelled" && html`<p class="empty muted">${t("backtest.cancelled")}</p>`}
      ${run.state === "failed" && html`<p class="bad">${t("backtest.failed")}</p><pre tabindex="0">${run.error?.detail}</pre>`}
      ${run.state === "done" && run.report && html`<${Report} report=${run.report} />`}
    </section>`}`;
}

/**
 * Shows the newest backtest when the screen is opened, and follows the one that runs.
 * @param {Run|null} run
 * @param {(run: Run) => void} setRun
 */
function useNewest(run, setRun) {
  useEffect(() => {
    let current = true;
    const ask = async () => {
      const id = run?.id ?? (await get(PATH)).items[0]?.id;
      const told = id ? await get(`${PATH}/${id}`) : null;
      if (current && told) setRun(told);
    };
    const wanted = !run || run.state === "running" || (run.state === "done" && run.report === undefined);
    const timer = wanted ? setTimeout(() => ask().catch(() => undefined), run ? EVERY : 0) : 0;
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [run]);
}

/** What is to be tried. @param {{busy: boolean, onStart: (run: Run) => void}} props */
function Form({ busy, onStart }) {
  const [own, setOwn] = useState(false);
  const [pack, setPack] = useState("");
  const [days, setDays] = useState(1);
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const since = new Date(Date.now() - days * 86400_000).toISOString();
    attempt(async () => onStart(await post(PATH, { since, ...(own ? { pack } : {}) })));
  };
  const load = async (/** @type {{currentTarget: HTMLInputElement}} */ event) => {
    const file = event.currentTarget.files?.[0];
    if (file) setPack(await file.text());
  };
  return html`<form class="backtest-form" onSubmit=${send}><p class="hint">${t("backtest.about")}</p>
    <div class="segments" role="group" aria-label=${t("backtest.rules")}>${[false, true].map((mine) => html`<button key=${String(mine)} type="button" aria-pressed=${own === mine ? "true" : "false"}
      onClick=${() => setOwn(mine)}>${t(mine ? "backtest.own" : "backtest.in_force")}</button>`)}</div>
    <div class="segments" role="group" aria-label=${t("backtest.span")}>${DAYS.map((count) => html`<button key=${count} type="button" aria-pressed=${days === count ? "true" : "false"}
      onClick=${() => setDays(count)}>${t("span.d", { d: count })}</button>`)}</div>
    ${own && html`<label class="field">${t("backtest.file")}<input type="file" accept=".yaml,.yml" onChange=${load} /></label>
      <label class="field">${t("backtest.pack")}<textarea class="mono" rows="12" required spellcheck=${false} value=${pack}
        onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setPack(event.currentTarget.value)}></textarea></label>`}
    <div class="actions"><button class="primary" disabled=${busy}>${t("backtest.start")}</button></div></form>`;
}
