/** Whose an alert is: taken, given to somebody else, given back. Of two who race one wins, and the other reads who. */
import { html, signal, useEffect, useState } from "../html.js";
import { get, post } from "../api.js";
import { say, t } from "../i18n.js";
import { alerts } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";
import { bare } from "../words.js";

/** @typedef {import("../types.js").Alert} Alert */
/** @typedef {{id: string, name: string, sites: string[], active: boolean}} Person */

/** The id of the alert that is being given to somebody; "" for none. */
const giving = signal("");

/**
 * @param {Alert} alert
 * @param {"take"|"assign"|"release"} verb
 * @param {object} body
 */
async function own(alert, verb, body) {
  const answer = await post(`/alerts/${encodeURIComponent(alert.id)}/${verb}`, body);
  if (answer?.id === alert.id && answer.state) alerts.put(answer);
}

/** The buttons of an open alert. @param {{alert: Alert}} props */
export function OwnerButtons({ alert }) {
  const before = alert.owner ?? "";
  return html`${!before && html`<button type="button" onClick=${() => attempt(() => own(alert, "take", {}), t("done.taken"))}>${t("act.take")}</button>`}
    <button type="button" onClick=${() => { giving.value = alert.id; }}>${t("act.give")}</button>
    ${before && html`<button type="button" onClick=${() => attempt(() => own(alert, "release", { before }), t("done.released"))}>${t("act.release")}</button>`}`;
}

/** The dialog, wherever it was asked for. */
export function GiveDialog() {
  const alert = alerts.get(giving.value);
  return alert ? html`<${Give} key=${alert.id} alert=${alert} />` : null;
}

/** @param {{alert: Alert}} props */
function Give({ alert }) {
  const [people, setPeople] = useState(/** @type {Person[]} */ ([]));
  const [to, setTo] = useState("");
  // Whose it was when the dialog was opened: who took it meanwhile keeps it.
  const [before] = useState(alert.owner ?? "");
  useEffect(() => {
    attempt(async () => {
      const answer = await get("/people");
      setPeople(answer.items.filter((/** @type {Person} */ one) => one.active && (!one.sites.length || one.sites.includes(alert.site))));
    });
  }, [alert.id]);
  const leave = () => {
    giving.value = "";
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(() => own(alert, "assign", { to: to.trim(), before }), t("done.given", { who: to.trim() }))) leave();
  };
  const choose = (/** @type {{currentTarget: HTMLInputElement|HTMLSelectElement}} */ event) => setTo(event.currentTarget.value);
  return html`<${Dialog} title=${t("give.title")} onClose=${leave}>
    <form onSubmit=${send}>
      <p class="about">${say(alert.title)}</p>
      <label class="field">${t("give.to")}
        ${people.length ? html`<select required value=${to} onChange=${choose}><option value="">${t("give.choose")}</option>
            ${people.map((one) => html`<option key=${one.id} value=${one.id}>${one.name ? `${one.name} (${one.id})` : one.id}</option>`)}</select>`
    : html`<input required maxlength="64" value=${to} onInput=${choose} />`}</label>
      <p class="hint">${before ? t("give.from", { who: bare(before) }) : t("give.hint")}</p>
      <div class="dialog-actions"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("act.give")}</button></div>
    </form></${Dialog}>`;
}
