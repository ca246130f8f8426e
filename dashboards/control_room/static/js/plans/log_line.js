/** A line of a plan's log in the operator's words: the gateway keeps codes and ids. */
import { say, word } from "../i18n.js";
import { deviceName } from "../place.js";

/** @typedef {import("../types.js").PlanRun} PlanRun */

/** @param {PlanRun} run @param {{action: string, text: string}} line */
export function logLine(run, line) {
  return [word("plan_action", line.action), shown(run, line)].filter(Boolean).join(": ");
}

/** @param {PlanRun} run @param {{action: string, text: string}} line @returns {string} */
function shown(run, { action, text }) {
  if (action.startsWith("step_") || action === "retry") {
    const [, id, note] = /^([\w-]+)(?:: ([^]*))?$/.exec(text) ?? [];
    const step = run.steps.find((each) => each.id === id);
    if (!step) return text;
    return [say(step.title, id), note && !left(step, note) ? note : ""].filter(Boolean).join(" – ");
  }
  if (action === "command_done" || action === "command_unconfirmed" || action === "command" || action === "simulated") return text.replace(/^\w+/, (name) => word("command", name)).replace(/ ([\w-]+)$/, (_, id) => ` · ${deviceName(id)}`);
  if (action === "left_out") return text.replace(/^\w+/, (name) => word("command", name)).replace(/([\w-]+) \([\w-]+\)/g, (_, id) => deviceName(id));
  if (action === "command_failed") return text.replace(/^([\w-]+): (\w+)/, (_, id, state) => `${deviceName(id)}: ${word("command_state", state)}`);
  return text;
}

/** Whether the note says no more than the line above it: which devices were left out. @param {{left_out?: string[], note: string}} step @param {string} note */
const left = (step, note) => Boolean(step.left_out?.length) && note === step.note;
