/** Taking over the shift 接班: what stands open, and the gesture that lets the page sound, with a test of it. */
import { html, signal } from "../html.js";
import { session } from "../api.js";
import { t } from "../i18n.js";
import { alerts, counters, orders, runs, SEVERITIES } from "../live/store.js";
import { promise } from "../orders/promise.js";
import { startSound } from "../sound.js";
import { Dialog } from "../widgets/dialog.js";
import { Shape } from "../widgets/icon.js";

/** Whether the question was answered since the page was opened. */
export const takenOver = signal(false);

export function TakeOver() {
  if (takenOver.value || !alerts.loaded.value) return null;
  const { levels, shelved } = counters.value;
  const late = orders.all().filter((order) => promise(order)?.late).length;
  const running = runs.all().filter((run) => run.state === "running" && !run.drill).length;
  const answer = async (/** @type {boolean} */ sound) => {
    takenOver.value = true;
    if (sound) await startSound();
  };
  return html`<${Dialog} title=${t("takeover.title")} required=${true} onClose=${() => answer(false)}>
    <p class="about">${t("takeover.hello", { name: session.value?.name ?? "" })}</p>
    <ul class="plain tally">${SEVERITIES.map((level) => html`<li key=${level}><${Shape} level=${level} /><span>${t(`severity.${level}`)}</span>
        <span class="number">${t("takeover.level", { n: levels[level].unacknowledged, all: levels[level].open })}</span></li>`)}
      <li><span></span><span>${t("counter.shelved")}</span><span class="number">${shelved}</span></li>
      <li><span></span><span>${t("takeover.runs")}</span><span class="number">${running}</span></li>
      <li><span></span><span>${t("takeover.late")}</span><span class="number">${late}</span></li></ul>
    <p class="hint">${t("takeover.hint")}</p>
    <div class="dialog-actions"><button type="button" onClick=${() => answer(false)}>${t("takeover.look")}</button>
      <button type="button" class="primary large" autofocus onClick=${() => answer(true)}>${t("takeover.do")}</button></div></${Dialog}>`;
}
