/** What an operator does with an alert: acknowledge, shelve, comment, make a work order, close. */
import { html, signal, useState } from "../html.js";
import { ApiError, get, may, post } from "../api.js";
import { age } from "../format.js";
import { say, t } from "../i18n.js";
import { alerts, isOut, isShelved, orders } from "../live/store.js";
import { attempt, tell } from "../notices.js";
import { bare } from "../words.js";
import { Dialog } from "../widgets/dialog.js";
import { GiveDialog, OwnerButtons } from "./owner.js";

/** @typedef {import("../types.js").Alert} Alert */

/** Ids of the alerts whose dialogs are open; "" for none. */
const shelving = signal("");
const commenting = signal("");

/**
 * Posts an action on an alert with the version the operator saw. Where only repeats were counted since (the state is
 * the same), it tries again with the newest version.
 * @param {Alert} alert
 * @param {string} verb
 * @param {object} [body]
 */
async function act(alert, verb, body = {}) {
  const path = `/alerts/${encodeURIComponent(alert.id)}`;
  let answer;
  try {
    answer = await post(`${path}/${verb}`, body, { version: alert.version });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 412) throw error;
    const newest = /** @type {Alert} */ (await get(path));
    alerts.put(newest);
    if (newest.state !== alert.state) throw error;
    answer = await post(`${path}/${verb}`, body, { version: newest.version });
  }
  if (answer?.id === alert.id && answer.state) alerts.put(answer);
  return answer;
}

/** "I have seen it." @param {Alert} alert */
export function acknowledge(alert) {
  if (!may("operator") || !(alert.state === "unacknowledged" || alert.state === "returned")) return;
  attempt(() => act(alert, "acknowledge"), t("done.acknowledged", { title: say(alert.title) }));
}

/** Asks for how long and why. What lives depend on is never put aside. @param {Alert} alert */
export function shelve(alert) {
  if (!may("operator") || alert.state === "closed" || isShelved(alert)) return;
  if (alert.never_shelved) tell(t("shelve.never"));
  else shelving.value = alert.id;
}

/** @param {Alert} alert */
function makeOrder(alert) {
  attempt(async () => {
    const order = await act(alert, "work-order");
    if (order?.number) orders.put(order);
  }, t("done.order"));
}

/** @param {Alert} alert */
const close = (alert) => attempt(() => act(alert, "close"), t("done.closed"));

/** @param {Alert} alert */
const unshelve = (alert) => attempt(() => act(alert, "unshelve"), t("done.unshelved"));

/** The row of buttons under an alert. @param {{alert: Alert}} props */
export function Actions({ alert }) {
  if (!may("operator")) return html`<p class="muted actions">${t("detail.only_looking")}</p>`;
  const unseen = alert.state === "unacknowledged" || alert.state === "returned";
  const open = alert.state !== "closed";
  return html`<div class="actions" role="group" aria-label=${t("detail.actions")}>
    ${unseen && html`<button type="button" class="primary" onClick=${() => acknowledge(alert)}>${t("act.acknowledge")}<kbd>A</kbd></button>`}
    ${open && html`<${OwnerButtons} alert=${alert} />`}
    ${open && !isShelved(alert) && !alert.never_shelved && html`<button type="button" onClick=${() => shelve(alert)}>${t("act.shelve")}<kbd>H</kbd></button>`}
    ${isShelved(alert) && !isOut(alert) && html`<button type="button" onClick=${() => unshelve(alert)}>${t("act.unshelve")}</button>`}
    ${open && !alert.work_order && html`<button type="button" onClick=${() => makeOrder(alert)}>${t("act.order")}</button>`}
    <button type="button" onClick=${() => { commenting.value = alert.id; }}>${t("act.comment")}</button>
    ${open && alert.latched && !alert.active && html`<button type="button" onClick=${() => close(alert)}>${t("act.close")}</button>`}
  </div>`;
}

/** The dialogs of the actions, wherever they were asked for. */
export function ActionDialogs() {
  const shelved = alerts.get(shelving.value);
  const commented = alerts.get(commenting.value);
  return html`${shelved && html`<${Shelve} alert=${shelved} />`}${commented && html`<${Write} alert=${commented} />`}<${GiveDialog} />`;
}

const MINUTES = [15, 30, 60, 120, 240, 480];

/** @param {{alert: Alert}} props */
function Shelve({ alert }) {
  const critical = alert.severity === "critical";
  const asked = alert.shelving_asked && age(alert.shelving_asked.until_at) < 0 ? alert.shelving_asked : null;
  const [minutes, setMinutes] = useState(asked?.minutes ?? 30);
  const [reason, setReason] = useState("");
  const leave = () => {
    shelving.value = "";
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(() => act(alert, "shelve", { reason: reason.trim(), minutes }), t(critical && !asked ? "done.shelving_asked" : "done.shelved"))) leave();
  };
  return html`<${Dialog} title=${t("shelve.title")} onClose=${leave}>
    <form onSubmit=${send}>
      <p class="about">${say(alert.title)}</p>
      <fieldset class="choices"><legend>${t("shelve.for")}</legend>
        ${MINUTES.map((each) => html`<label key=${each} class="choice"><input type="radio" name="minutes" checked=${each === minutes} onChange=${() => setMinutes(each)} />
          <span>${each < 60 ? t("span.m", { m: each }) : t("span.h", { h: each / 60 })}</span></label>`)}</fieldset>
      <label class="field">${t("shelve.reason")}
        <input required maxlength="500" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
      <p class="hint">${t(critical ? "shelve.two" : "shelve.hint")}</p>
      ${asked && html`<p>${t("shelve.asked", { who: bare(asked.by), reason: asked.reason, n: asked.minutes })}</p>`}
      <div class="dialog-actions"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("act.shelve")}</button></div>
    </form></${Dialog}>`;
}

/** @param {{alert: Alert}} props */
function Write({ alert }) {
  const [text, setText] = useState("");
  const leave = () => {
    commenting.value = "";
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(() => act(alert, "comment", { text: text.trim() }), t("done.commented"))) leave();
  };
  return html`<${Dialog} title=${t("comment.title")} onClose=${leave}>
    <form onSubmit=${send}>
      <p class="about">${say(alert.title)}</p>
      <label class="field">${t("comment.text")}
        <textarea required rows="4" maxlength="2000" value=${text} onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setText(event.currentTarget.value)}></textarea></label>
      <div class="dialog-actions"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("act.comment")}</button></div>
    </form></${Dialog}>`;
}
