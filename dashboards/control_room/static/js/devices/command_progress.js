/** Where a command stands, in stages and in words: requested, sent, answered, observed. */
import { html } from "../html.js";
import { t, word } from "../i18n.js";

/** @typedef {import("../types.js").Command} Command */

const STAGES = ["pending", "sent", "done", "observed"];
const ENDS = new Set(["rejected", "failed", "expired", "unknown"]);

/** Whether it must not be sent before another person has confirmed it. @param {Command|undefined} command */
export const awaitsSecond = (command) => Boolean(command?.needs_second && !command.second_by && command.state === "pending");

/** Where it stands, in a word. @param {Command} command */
export function standing(command) {
  if (awaitsSecond(command)) return t("command_state.second");
  if (command.state === "done" && command.observation) return word("observation", command.observation);
  return word("command_state", command.state);
}

/** @param {{command: Command|undefined}} props */
export function Progress({ command }) {
  const state = command?.state ?? "pending";
  const at = command?.observation === "observed" ? STAGES.length - 1 : STAGES.indexOf(state);
  return html`<div role="status"><ol class="stages">${STAGES.map((stage, index) => html`<li key=${stage} class=${at >= index ? "reached" : ""}>${word("stage", stage)}</li>`)}</ol>
    ${awaitsSecond(command) && html`<p class="warning-line">${t("command.second_waits")}</p>`}
    ${ENDS.has(state) && html`<p class="warning-line">${word("command_state", state)}: ${word("command_end", state)}</p>`}
    ${state === "done" && command?.observation === "missing" && html`<p class="warning-line">${t("command.missing")}</p>`}
    ${state === "done" && !command?.observation && html`<p class="muted">${t("command.unproven")}</p>`}
    ${command?.detail && html`<p>${command.detail}</p>`}</div>`;
}
