/** An alert's condition as a tree: what was true when it was raised, with the values of that moment; and it as a test. */
import { classes, html, useState } from "../html.js";
import { call, may } from "../api.js";
import { value } from "../format.js";
import { say, t } from "../i18n.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";

/**
 * @typedef {{text: string, truth: boolean|null, values: Record<string, unknown>, parts: Part[]}} Part
 * @typedef {{word: string, truth: boolean|null, said: Record<string, string>, code: string, parts: Part[]}} Clause
 * @typedef {{answer: {clauses: Clause[], notes: Record<string, string>[]}|null, answer_problem: string|null}} Told
 */

/** The answer takes a second or two, as the gateway looks back for it. */
const PATIENCE = 125_000;

/** @param {{alert: import("../types.js").Alert}} props */
export function Tree({ alert }) {
  const [told, setTold] = useState(/** @type {Told|null} */ (null));
  const [asking, setAsking] = useState(false);
  const [test, setTest] = useState("");
  const path = `/alerts/${encodeURIComponent(alert.id)}`;
  const ask = async (/** @type {() => Promise<void>} */ question) => {
    setAsking(true);
    await attempt(question);
    setAsking(false);
  };
  const explain = () => ask(async () => setTold(await call("GET", `${path}/why`, { timeout: PATIENCE })));
  const save = () => ask(async () => setTest((await call("GET", `${path}/test`, { timeout: PATIENCE })).test));
  return html`<div class="tree">${told && html`<${Answer} told=${told} />`}
    <div class="actions">${!told && html`<button type="button" class="quiet-button" disabled=${asking} onClick=${explain}>${asking ? t("loading") : t("why.explain")}</button>`}
      ${may("engineer") && html`<button type="button" class="quiet-button" disabled=${asking} onClick=${save}>${t("why.save_test")}</button>`}</div>
    ${test && html`<${Dialog} title=${t("why.save_test")} wide=${true} onClose=${() => setTest("")}><p class="hint">${t("why.test_hint", { rule: alert.rule })}</p><pre tabindex="0">${test}</pre></${Dialog}>`}</div>`;
}

/** @param {{told: Told}} props */
function Answer({ told }) {
  if (!told.answer) return html`<p class="muted">${told.answer_problem}</p>`;
  return html`<ul class="plain clauses" aria-label=${t("why.tree")}>${told.answer.clauses.map((clause, index) => html`<li key=${index} class=${classes("clause", sign(clause.truth))}>
      <span class="truth">${t(`why.${sign(clause.truth)}`)}</span> <span class="mono">${clause.word}</span> <span>${say(clause.said)}</span>
      ${clause.parts.map((part, number) => html`<${Branch} key=${number} part=${part} />`)}</li>`)}</ul>
    ${told.answer.notes.map((note, index) => html`<p key=${index} class="hint">${say(note)}</p>`)}`;
}

/** @param {{part: Part}} props */
function Branch({ part }) {
  const values = Object.entries(part.values);
  return html`<ul class="plain branch"><li class=${classes("clause", sign(part.truth))}><span class="truth">${t(`why.${sign(part.truth)}`)}</span> <span class="mono">${part.text}</span>
    ${values.length > 0 && html` <span class="muted">${values.map(([name, content]) => `${name} = ${content === null ? t("why.missing") : value(content)}`).join(", ")}</span>`}
    ${part.parts.map((below, index) => html`<${Branch} key=${index} part=${below} />`)}</li></ul>`;
}

/** @param {boolean|null} truth */
const sign = (truth) => (truth === null ? "unknown" : truth ? "true" : "false");
