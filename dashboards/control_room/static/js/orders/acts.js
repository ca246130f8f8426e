/** What may be done with an order beside its next step: a button for each, and a form where it needs words. */
import { html, useState } from "../html.js";
import { call, may, post } from "../api.js";
import { t } from "../i18n.js";
import { orders } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";

/** @typedef {import("../types.js").WorkOrder} WorkOrder */
/** @typedef {{reasons?: string[], text?: boolean, days?: boolean, score?: boolean, yesno?: string, part?: boolean, labour?: boolean}} Ask */

const LATER = ["done", "verified", "closed"];

/** Each act: whether it is possible now, and what it asks for. */
const ACTS = /** @type {Record<string, {now: (order: WorkOrder) => boolean, ask?: Ask}>} */ ({
  take: { now: (order) => order.state !== "closed" && !order.owner },
  dispatch: { now: (order) => ["open", "assigned", "accepted"].includes(order.state) },
  arrive: { now: (order) => ["accepted", "in_progress"].includes(order.state) && !order.arrived_at },
  answer: { now: (order) => Boolean(order.requester), ask: { text: true } },
  pause: { now: (order) => ["accepted", "in_progress"].includes(order.state) && !order.pause, ask: { reasons: ["part", "access", "resident", "weather", "other"], text: false } },
  resume: { now: (order) => Boolean(order.pause) },
  defer: { now: (order) => !LATER.includes(order.state) && !order.deferral && !order.pause, ask: { reasons: ["part", "dispute", "other"], text: true, days: true } },
  parts: { now: (order) => order.state !== "closed", ask: { part: true } },
  labour: { now: (order) => order.state !== "closed", ask: { labour: true } },
  found: { now: (order) => order.kind === "complaint", ask: { yesno: "founded", text: true } },
  rate: { now: (order) => LATER.includes(order.state), ask: { score: true, text: false } },
  visit: { now: (order) => LATER.includes(order.state) && !order.visit, ask: { yesno: "satisfied", text: false } },
  reopen: { now: (order) => LATER.includes(order.state), ask: { text: true } },
  cancel: { now: (order) => order.state !== "closed", ask: { reasons: ["duplicate", "not_needed", "mistaken", "other"], text: true } },
});

/** @param {WorkOrder} order @param {string} verb @param {object} [body] */
const send = (order, verb, body) => attempt(async () => {
  const answer = await post(`/work-orders/${encodeURIComponent(order.id)}/${verb}`, body, { version: order.version });
  if (answer?.id === order.id && answer.state) orders.put(answer);
}, t("done.order_changed", { number: order.number }));

/** @param {{order: WorkOrder}} props */
export function Acts({ order }) {
  const [chosen, setChosen] = useState("");
  if (!may("operator")) return null;
  const possible = Object.entries(ACTS).filter(([, act]) => act.now(order));
  return html`<div class="actions quiet" role="group" aria-label=${t("orders.more")}>${possible.map(([verb, act]) => html`<button key=${verb} type="button" class="quiet-button"
      onClick=${() => (act.ask ? setChosen(verb) : send(order, verb))}>${t(`order_act.${verb}`)}</button>`)}
    <${Upload} order=${order} />
    ${chosen && html`<${Ask} key=${chosen} order=${order} verb=${chosen} ask=${ACTS[chosen].ask ?? {}} onClose=${() => setChosen("")} />`}</div>`;
}

/** @param {FormData} form @param {Ask} ask */
function bodyOf(form, ask) {
  const text = String(form.get("text") ?? "").trim();
  const whole = (/** @type {string} */ name) => Math.round(Number(form.get(name) || 0));
  const cents = (/** @type {string} */ name) => Math.round(Number(form.get(name) || 0) * 100);
  return {
    ...(ask.reasons ? { reason: form.get("reason") } : {}),
    ...(text ? { text } : {}),
    ...(ask.days ? { until: new Date(Date.now() + whole("days") * 86_400_000).toISOString() } : {}),
    ...(ask.score ? { score: whole("score") } : {}),
    ...(ask.yesno ? { [ask.yesno]: form.get("verdict") === "yes" } : {}),
    ...(ask.part ? { name: String(form.get("name")).trim(), quantity: Number(form.get("quantity")), price_cents: cents("price") } : {}),
    ...(ask.labour ? { minutes: whole("minutes"), cost_cents: cents("price") } : {}),
  };
}

/** @param {{order: WorkOrder, verb: string, ask: Ask, onClose: () => void}} props */
function Ask({ order, verb, ask, onClose }) {
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    if (await send(order, verb, bodyOf(form, ask))) onClose();
  };
  return html`<${Dialog} title=${`${t(`order_act.${verb}`)} · ${order.number}`} onClose=${onClose}><form onSubmit=${submit}><div class="form-grid">
    ${ask.reasons && html`<label class="field">${t("orders.reason")}<select name="reason">${ask.reasons.map((reason) => html`<option key=${reason} value=${reason}>${t(`order_reason.${reason}`)}</option>`)}</select></label>`}
    ${ask.days && html`<label class="field">${t("orders.days")}<input name="days" type="number" min="1" max="30" value="3" required /></label>`}
    ${ask.score && html`<label class="field">${t("orders.score")}<select name="score">${[5, 4, 3, 2, 1].map((score) => html`<option key=${score} value=${score}>${score}</option>`)}</select></label>`}
    ${ask.yesno && html`<label class="field">${t(`orders.${ask.yesno}`)}<select name="verdict"><option value="yes">${t("yes")}</option><option value="no">${t("no")}</option></select></label>`}
    ${ask.part && html`<label class="field">${t("orders.part")}<input name="name" required maxlength="128" /></label><label class="field">${t("orders.quantity")}<input name="quantity" type="number" min="0.001" step="any" value="1" required /></label>`}
    ${ask.labour && html`<label class="field">${t("orders.minutes")}<input name="minutes" type="number" min="1" max="100000" value="30" required /></label>`}
    ${(ask.part || ask.labour) && html`<label class="field">${t("orders.price")}<input name="price" type="number" min="0" step="0.01" value="0" /></label>`}
    ${ask.text !== undefined && html`<label class="field wide">${t("orders.words")}<input name="text" maxlength="2000" required=${ask.text} /></label>`}</div>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t(`order_act.${verb}`)}</button></div></form></${Dialog}>`;
}

/** A photo or a document, as it is. @param {{order: WorkOrder}} props */
function Upload({ order }) {
  const take = (/** @type {{currentTarget: HTMLInputElement}} */ event) => {
    const input = event.currentTarget;
    const file = input.files?.[0];
    if (!file) return;
    attempt(async () => {
      const path = `/work-orders/${encodeURIComponent(order.id)}/files?name=${encodeURIComponent(file.name.slice(-128))}`;
      orders.put(await call("POST", path, { raw: file, timeout: 60_000 }));
    }, t("orders.attached")).then(() => { input.value = ""; });
  };
  return html`<label class="quiet-button upload">${t("orders.attach")}<input class="visually-hidden" type="file" accept="image/jpeg,image/png,image/webp,application/pdf" onChange=${take} /></label>`;
}
