/** Passes: who and what may go through; decisions at doors and barriers; lists at devices. Values are masked as they come. */
import { classes, html, signal, useState } from "../html.js";
import { call, get, may, pages, post } from "../api.js";
import { day, hourMinute, ms } from "../format.js";
import { now } from "../live/clock.js";
import { t } from "../i18n.js";
import { passes } from "../live/store.js";
import { attempt } from "../notices.js";
import { SearchBox } from "../queue/filters.js";
import { found } from "../search.js";
import { Dialog } from "../widgets/dialog.js";
import { Check } from "./check.js";
import { Code } from "./code.js";
import { Decisions } from "./decisions.js";
import { PassForm } from "./form.js";
import { Import } from "./import.js";
import { Lists } from "./lists.js";

/** @typedef {import("../types.js").Pass} Pass */

const search = signal("");
const SHOWS = /** @type {const} */ (["all", "plate", "card", "person", "qr", "blocked"]);
const shows = signal(/** @type {typeof SHOWS[number]} */ ("all"));
/** Passes a person asked to see, unmasked, by id, until the page is left. */
const revealed = signal(/** @type {Record<string, Pass>} */ ({}));

/** The screen. */
export function Passes() {
  const [dialog, setDialog] = useState("");
  const [edited, setEdited] = useState(/** @type {Pass|null} */ (null));
  const [coded, setCoded] = useState(/** @type {Pass|null} */ (null));
  const text = search.value.trim();
  const list = passes.all().filter((pass) => (shows.value === "all" || (shows.value === "blocked" ? pass.blocked : pass.kind === shows.value))
    && (!text || found(text, [pass.value, pass.name, pass.note, pass.id, t(`pass.${pass.kind}`)])))
    .sort((a, b) => String(b.created_at).localeCompare(String(a.created_at)));
  const close = () => setDialog("");
  const edit = (/** @type {Pass} */ pass) => attempt(async () => setEdited(await get(`/passes/${encodeURIComponent(pass.id)}?reveal=${encodeURIComponent(t("passes.edit"))}`)));
  const made = (/** @type {Pass|null} */ pass) => {
    close();
    setEdited(null);
    if (pass?.kind === "qr") setCoded(pass);
  };
  return html`<div class="screen pair">
    <section class="panel" aria-labelledby="passes-title">
      <header class="panel-head wraps"><h1 id="passes-title">${t("nav.passes")}</h1><span class="muted">${passes.all().length}</span><span class="spacer"></span>
        ${may("operator") && html`<button type="button" onClick=${() => setDialog("check")}>${t("passes.check")}</button><button type="button" onClick=${() => setDialog("reveal")}>${t("passes.reveal")}</button><button type="button" onClick=${() => setDialog("import")}>${t("passes.import")}</button><button type="button" onClick=${() => setDialog("visitor")}>${t("passes.add_visitor")}</button><button type="button" class="primary" onClick=${() => setDialog("add")}>${t("passes.add")}</button>`}</header>
      <div class="filters"><${SearchBox} value=${search} label=${t("passes.search")} />
        ${SHOWS.map((name) => html`<button key=${name} type="button" class="chip" aria-pressed=${shows.value === name} onClick=${() => { shows.value = name; }}>${t(name === "all" ? "passes.all" : name === "blocked" ? "passes.blocked" : `pass.${name}`)}</button>`)}</div>
      <div class="scroll" tabindex="0" role="group" aria-label=${t("nav.passes")}><table class="passes"><thead><tr><th>${t("passes.kind")}</th><th>${t("passes.value")}</th><th>${t("passes.name")}</th><th>${t("passes.window")}</th><th>${t("passes.note")}</th><th><span class="visually-hidden">${t("detail.actions")}</span></th></tr></thead>
        <tbody>${list.slice(0, 500).map((pass) => html`<${Row} key=${pass.id} pass=${pass} onEdit=${edit} onCode=${setCoded} />`)}</tbody></table>
        ${!list.length && html`<p class="empty muted">${passes.loaded.value ? t("passes.none") : t("loading")}</p>`}</div>
    </section>
    <div class="stack"><${Decisions} /><${Lists} /></div>
    ${dialog === "add" && html`<${PassForm} onClose=${close} onDone=${made} />`}${dialog === "visitor" && html`<${PassForm} kind="qr" onClose=${close} onDone=${made} />`}
    ${edited && html`<${PassForm} pass=${edited} onClose=${() => setEdited(null)} onDone=${() => setEdited(null)} />`}
    ${coded && html`<${Code} pass=${coded} onClose=${() => setCoded(null)} />`}
    ${dialog === "import" && html`<${Import} onClose=${close} />`}${dialog === "check" && html`<${Check} onClose=${close} />`}${dialog === "reveal" && html`<${Reveal} onClose=${close} />`}
  </div>`;
}

/** @param {{pass: Pass, onEdit: (pass: Pass) => void, onCode: (pass: Pass) => void}} props */
function Row({ pass: masked, onEdit, onCode }) {
  const pass = { ...masked, ...only(revealed.value[masked.id]) };
  const [asking, setAsking] = useState(false);
  const over = pass.until_at != null && ms(pass.until_at) < now();
  const path = `/passes/${encodeURIComponent(pass.id)}`;
  const remove = () => attempt(async () => {
    await call("DELETE", path);
    passes.remove(pass.id);
  }, t("passes.removed"));
  const left = () => attempt(async () => { passes.put(await post(`${path}/outside`)); }, t("passes.outside_done"));
  const used = pass.entries != null && t("passes.used", { used: pass.used ?? 0, of: pass.entries });
  return html`<tr class=${classes((over || pass.blocked) && "past")}>
    <td>${t(`pass.${pass.kind}`)}${pass.visitor && html` <span class="tag">${t("passes.visitor")}</span>`}</td>
    <td class="mono">${pass.kind === "qr" ? "" : pass.value}</td><td>${pass.name}</td>
    <td>${pass.blocked ? html`<span class="tag warn">${t("passes.blocked")}</span>` : over ? html`<span class="tag">${t("passes.over")}</span>` : bounds(pass)}</td>
    <td>${[pass.days, pass.hours, pass.household, used, pass.host, pass.note].filter(Boolean).join(" · ")}${pass.inside && html` <span class="tag">${t("passes.inside")}</span>`}</td>
    <td class="acts">${may("operator") && html`${pass.inside && html`<button type="button" class="quiet-button" onClick=${left}>${t("passes.left")}</button>`}
      ${pass.kind === "qr" && !over && !pass.blocked && html`<button type="button" class="quiet-button" onClick=${() => onCode(pass)}>${t("passes.code")}</button>`}
      <button type="button" class="quiet-button" onClick=${() => onEdit(pass)}>${t("passes.edit")}</button><button type="button" class="quiet-button" onClick=${() => setAsking(true)}>${t("passes.remove")}</button>`}
      ${asking && html`<${Dialog} title=${t("passes.remove")} onClose=${() => setAsking(false)}><p class="about">${t(`pass.${pass.kind}`)} <span class="mono">${pass.value}</span> ${pass.name}</p>
        <div class="dialog-actions"><button type="button" autofocus onClick=${() => setAsking(false)}>${t("cancel")}</button><button type="button" class="primary" onClick=${remove}>${t("passes.remove")}</button></div></${Dialog}>`}</td></tr>`;
}

/** What was masked, of a pass that was revealed: the rest may have changed since. @param {Pass|undefined} pass */
const only = (pass) => (pass ? { value: pass.value, name: pass.name, note: pass.note, household: pass.household, host: pass.host } : {});

/** @param {Pass} pass */
function bounds(pass) {
  if (!pass.from_at && !pass.until_at) return t("passes.always");
  const end = (/** @type {import("../types.js").Time} */ time) => (time ? `${day(time)} ${hourMinute(time)}` : "…");
  return `${end(pass.from_at)} – ${end(pass.until_at)}`;
}

/** Shows the values, for a reason that is kept in the audit. @param {{onClose: () => void}} props */
function Reveal({ onClose }) {
  const [reason, setReason] = useState("");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(async () => {
      const values = /** @type {Record<string, Pass>} */ ({});
      await pages(`/passes?limit=500&reveal=${encodeURIComponent(reason.trim())}`, (/** @type {Pass[]} */ items) => {
        for (const pass of items) values[pass.id] = pass;
      });
      revealed.value = values;
    }, t("passes.revealed"))) onClose();
  };
  return html`<${Dialog} title=${t("passes.reveal")} onClose=${onClose}><form onSubmit=${send}><p class="hint">${t("passes.reveal_hint")}</p>
    <label class="field">${t("passes.reveal_reason")}<input required minlength="3" maxlength="200" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("passes.reveal")}</button></div></form></${Dialog}>`;
}
