/** Who is on duty 值班: the desk and its hand-over, the shift log, and the messages to people. */
import { html, useState } from "../html.js";
import { call, may, post, session } from "../api.js";
import { hourMinute, moment } from "../format.js";
import { usePolled } from "../health/polled.js";
import { say, t } from "../i18n.js";
import { sites } from "../live/store.js";
import { attempt } from "../notices.js";
import { startSound } from "../sound.js";
import { bare } from "../words.js";
import { Handover } from "./handover.js";
import { Messages } from "./messages.js";

/** @param {string} id */
function siteName(id) {
  return say(sites.all().find((site) => site.id === id)?.name, id);
}

/** The screen. */
export function Duty() {
  const [shifts, again] = usePolled("/shifts?limit=30", 10);
  const [onDuty] = usePolled("/rosters/on-duty", 30);
  const list = /** @type {any[]} */ (shifts?.items ?? []);
  const current = list.filter((shift) => shift.state !== "closed");
  return html`<div class="screen pair">
    <section class="panel" aria-labelledby="duty-title"><header class="panel-head"><h1 id="duty-title">${t("nav.duty")}</h1><span class="spacer"></span><button type="button" class="quiet-button" onClick=${() => window.print()}>${t("duty.print")}</button></header>
      <div class="scroll" tabindex="0" role="group" aria-label=${t("nav.duty")}>
        ${current.map((shift) => html`<${Desk} key=${shift.id} shift=${shift} again=${again} />`)}
        ${shifts && sites.all().filter((site) => !current.some((shift) => shift.site === site.id)).map((site) => html`<${Free} key=${site.id} site=${site.id} again=${again} />`)}
        <section class="round"><h2>${t("duty.now")}</h2><ul class="plain">${(onDuty?.items ?? []).map((/** @type {any} */ one, /** @type {number} */ index) => html`<li key=${index}>${one.name || one.person} <span class="muted">${one.team}${one.role && ` · ${one.role}`} · ${t("duty.until", { time: hourMinute(one.until_at) })}</span></li>`)}</ul>
          ${!(onDuty?.items ?? []).length && html`<p class="muted">${onDuty ? t("duty.nobody") : t("loading")}</p>`}</section>
        <section class="round"><h2>${t("duty.log")}</h2>${shifts && !list.length && html`<p class="muted">${t("duty.no_log")}</p>`}<ol class="story">${list.map((shift) => html`<li key=${shift.id}><time>${moment(shift.started_at)}</time><span class="who">${bare(shift.operator)}</span><span class="grow">${t(`shift.${shift.state}`)} ${shift.ended_at && moment(shift.ended_at)} <span class="muted">${shift.notes.map((/** @type {any} */ note) => note.text).join(" · ")}</span></span></li>`)}</ol></section></div></section>
    <section class="panel" aria-labelledby="messages-title"><${Messages} /></section></div>`;
}

/** A desk that nobody has. Taking it over also tests the sound. @param {{site: string, again: () => void}} props */
function Free({ site, again }) {
  const take = () => attempt(async () => {
    await startSound();
    await post("/shifts", { site });
    again();
  }, t("duty.taken"));
  return html`<section class="round"><h2>${t("duty.desk", { site: siteName(site) })}</h2><p class="muted">${t("duty.free")}</p>
    ${may("operator") && html`<div class="actions"><button type="button" class="primary" onClick=${take}>${t("takeover.do")}</button></div>`}</section>`;
}

/** A desk that somebody has: its log, its list, and the two signatures. @param {{shift: any, again: () => void}} props */
function Desk({ shift, again }) {
  const path = `/shifts/${encodeURIComponent(shift.id)}`;
  const [handover, anew] = usePolled(`${path}/handover`, 10);
  const [note, setNote] = useState("");
  const mine = bare(shift.operator) === session.value?.name;
  const act = (/** @type {() => Promise<any>} */ what, /** @type {string} */ done) => attempt(async () => {
    await what();
    setNote("");
    again();
    anew();
  }, done);
  const blocked = (handover?.blocking ?? []).length > 0;
  const signed = shift.state === "handover";
  return html`<section class="round"><h2>${t("duty.desk", { site: siteName(shift.site) })}</h2>
    <p>${bare(shift.operator)} <span class="muted">${moment(shift.started_at)}</span> <span class="tag">${t(`shift.${shift.state}`)}</span></p>
    <ul class="plain">${shift.notes.map((/** @type {any} */ one, /** @type {number} */ index) => html`<li key=${index}><span class="muted">${hourMinute(one.written_at)} ${bare(one.by)}</span> ${one.text}</li>`)}</ul>
    ${may("operator") && html`<label class="field">${t("duty.note")}<textarea rows="2" maxlength="2000" value=${note} onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setNote(event.currentTarget.value)}></textarea></label>
      <div class="actions"><button type="button" disabled=${!note.trim()} onClick=${() => act(() => post(`${path}/notes`, { text: note.trim() }), t("duty.noted"))}>${t("duty.write")}</button>
        ${!signed && mine && html`<button type="button" class="primary" disabled=${blocked} onClick=${() => act(() => post(`${path}/handover`, note.trim() ? { notes: note.trim() } : {}), t("duty.signed"))}>${t("duty.sign")}</button>`}
        ${!signed && !mine && may("engineer") && html`<button type="button" disabled=${blocked || !note.trim()} title=${t("duty.instead_hint")} onClick=${() => act(() => post(`${path}/handover`, { reason: note.trim().slice(0, 128) }), t("duty.signed"))}>${t("duty.instead")}</button>`}
        ${signed && mine && html`<button type="button" onClick=${() => act(() => call("DELETE", `${path}/handover`), t("duty.withdrawn"))}>${t("duty.withdraw")}</button>`}
        ${signed && !mine && html`<button type="button" class="primary" disabled=${blocked} onClick=${() => act(async () => { await startSound(); await post(`${path}/handover/accept`, {}); }, t("duty.taken"))}>${t("duty.accept")}</button>`}</div>`}
    <${Handover} handover=${handover} /></section>`;
}
