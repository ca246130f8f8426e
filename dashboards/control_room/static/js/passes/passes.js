/** Passes: who and what may go through; and the decisions at doors and barriers. Values are masked as they come. */
import { classes, html, signal, useState } from "../html.js";
import { call, may, pages, post } from "../api.js";
import { day, hourMinute, moment, ms } from "../format.js";
import { now } from "../live/clock.js";
import { say, t, word } from "../i18n.js";
import { decisions, passes, sites } from "../live/store.js";
import { attempt } from "../notices.js";
import { deviceName } from "../place.js";
import { SearchBox } from "../queue/filters.js";
import { found } from "../search.js";
import { Dialog } from "../widgets/dialog.js";

/** @typedef {import("../types.js").Pass} Pass */

const search = signal("");
/** Passes a person asked to see, unmasked, by id, until the page is left. */
const revealed = signal(/** @type {Record<string, Pass>} */ ({}));

/** The screen. */
export function Passes() {
  const [dialog, setDialog] = useState("");
  const text = search.value.trim();
  const list = passes.all().filter((pass) => !text || found(text, [pass.value, pass.name, pass.note, t(`pass.${pass.kind}`)]))
    .sort((a, b) => String(b.created_at).localeCompare(String(a.created_at)));
  return html`<div class="screen pair">
    <section class="panel" aria-labelledby="passes-title">
      <header class="panel-head"><h1 id="passes-title">${t("nav.passes")}</h1><span class="muted">${passes.all().length}</span><span class="spacer"></span>
        ${may("operator") && html`<button type="button" onClick=${() => setDialog("reveal")}>${t("passes.reveal")}</button><button type="button" class="primary" onClick=${() => setDialog("add")}>${t("passes.add")}</button>`}</header>
      <div class="filters"><${SearchBox} value=${search} label=${t("passes.search")} /></div>
      <div class="scroll" tabindex="0" role="group" aria-label=${t("nav.passes")}><table><thead><tr><th>${t("passes.kind")}</th><th>${t("passes.value")}</th><th>${t("passes.name")}</th><th>${t("passes.window")}</th><th>${t("passes.note")}</th><th><span class="visually-hidden">${t("detail.actions")}</span></th></tr></thead>
        <tbody>${list.slice(0, 500).map((pass) => html`<${Row} key=${pass.id} pass=${pass} />`)}</tbody></table>
        ${!list.length && html`<p class="empty muted">${passes.loaded.value ? t("passes.none") : t("loading")}</p>`}</div>
    </section>
    <section class="panel" aria-labelledby="decisions-title"><header class="panel-head"><h2 id="decisions-title">${t("passes.decisions")}</h2></header><${Decisions} /></section>
    ${dialog === "add" && html`<${Add} onClose=${() => setDialog("")} />`}${dialog === "reveal" && html`<${Reveal} onClose=${() => setDialog("")} />`}
  </div>`;
}

/** @param {{pass: Pass}} props */
function Row({ pass: masked }) {
  const pass = revealed.value[masked.id] ?? masked;
  const [asking, setAsking] = useState(false);
  const over = pass.until_at != null && ms(pass.until_at) < now();
  const remove = () => attempt(async () => {
    await call("DELETE", `/passes/${encodeURIComponent(pass.id)}`);
    passes.remove(pass.id);
  }, t("passes.removed"));
  const left = () => attempt(async () => { passes.put(await post(`/passes/${encodeURIComponent(pass.id)}/outside`)); }, t("passes.outside_done"));
  return html`<tr class=${classes((over || pass.blocked) && "past")}>
    <td>${t(`pass.${pass.kind}`)}${pass.visitor && html` <span class="tag">${t("passes.visitor")}</span>`}</td>
    <td class="mono">${pass.value}</td><td>${pass.name}</td>
    <td>${pass.blocked ? html`<span class="tag warn">${t("passes.blocked")}</span>` : over ? html`<span class="tag">${t("passes.over")}</span>` : bounds(pass)}</td>
    <td>${[pass.days, pass.hours, pass.household, pass.note].filter(Boolean).join(" · ")}${pass.inside && html` <span class="tag">${t("passes.inside")}</span>`}</td><td class="number">${pass.inside && may("operator") && html`<button type="button" class="quiet-button" onClick=${left}>${t("passes.left")}</button>`}${may("operator") && html`<button type="button" class="quiet-button" onClick=${() => setAsking(true)}>${t("passes.remove")}</button>`}
      ${asking && html`<${Dialog} title=${t("passes.remove")} onClose=${() => setAsking(false)}><p class="about">${t(`pass.${pass.kind}`)} <span class="mono">${pass.value}</span> ${pass.name}</p>
        <div class="dialog-actions"><button type="button" autofocus onClick=${() => setAsking(false)}>${t("cancel")}</button><button type="button" class="primary" onClick=${remove}>${t("passes.remove")}</button></div></${Dialog}>`}</td></tr>`;
}

/** @param {Pass} pass */
function bounds(pass) {
  if (!pass.from_at && !pass.until_at) return t("passes.always");
  const end = (/** @type {import("../types.js").Time} */ time) => (time ? `${day(time)} ${hourMinute(time)}` : "…");
  return `${end(pass.from_at)} – ${end(pass.until_at)}`;
}

function Decisions() {
  const list = decisions.value;
  if (!list.length) return html`<p class="empty muted">${t("passes.no_decisions")}</p>`;
  return html`<ol class="story scroll" tabindex="0" aria-label=${t("passes.decisions")}>${list.map((decision, index) => html`<li key=${decision.id ?? index} class=${decision.allowed ? "" : "refused"}>
    <time>${moment(decision.decided_at ?? decision.received ?? decision.time ?? decision.at)}</time><span class="who">${deviceName(decision.device)}</span>
    <span class="grow"><span class="tag">${decision.allowed ? t("passes.allowed") : t("passes.refused")}</span> ${word("decision", decision.reason)} <span class="mono muted">${decision.value ?? ""}</span></span></li>`)}</ol>`;
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
    <label class="field">${t("passes.reveal_reason")}<input required minlength="3" maxlength="300" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("passes.reveal")}</button></div></form></${Dialog}>`;
}

/** @param {{onClose: () => void}} props */
function Add({ onClose }) {
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const field = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    const time = (/** @type {string} */ name) => (field(name) ? new Date(field(name)).toISOString() : null);
    const body = {
      site: field("site") || sites.items.keys().next().value, kind: field("kind"), value: field("value"), name: field("name"),
      ...Object.fromEntries(["note", "days", "hours", "household"].filter(field).map((name) => [name, field(name)])),
      ...(field("spaces") ? { spaces: Number(field("spaces")) } : {}), anti_passback: form.has("once"), from_at: time("from"), until_at: time("until"), visitor: form.has("visitor"), blocked: form.has("blocked"),
    };
    if (await attempt(async () => {
      const pass = await post("/passes", body);
      if (pass?.id) passes.put(pass);
    }, t("passes.added"))) onClose();
  };
  return html`<${Dialog} title=${t("passes.add")} onClose=${onClose}><form onSubmit=${send}>
    <div class="form-grid">
      ${sites.all().length > 1 && html`<label class="field">${t("passes.site")}<select name="site">${sites.all().map((site) => html`<option key=${site.id} value=${site.id}>${say(site.name, site.id)}</option>`)}</select></label>`}
      <label class="field">${t("passes.kind")}<select name="kind">${["plate", "card", "person"].map((kind) => html`<option key=${kind} value=${kind}>${t(`pass.${kind}`)}</option>`)}</select></label>
      <label class="field">${t("passes.value")}<input name="value" required maxlength="64" autocomplete="off" /></label>
      <label class="field">${t("passes.name")}<input name="name" maxlength="100" autocomplete="off" /></label>
      <label class="field">${t("passes.from")}<input name="from" type="datetime-local" /></label>
      <label class="field">${t("passes.until")}<input name="until" type="datetime-local" /></label>
      <label class="field">${t("passes.days")}<input name="days" maxlength="100" autocomplete="off" /></label>
      <label class="field">${t("passes.hours")}<input name="hours" maxlength="200" autocomplete="off" /></label>
      <label class="field">${t("passes.household")}<input name="household" maxlength="64" autocomplete="off" /></label>
      <label class="field">${t("passes.spaces")}<input name="spaces" type="number" min="0" max="1000" /></label>
      <label class="field">${t("passes.note")}<input name="note" maxlength="300" /></label>
    </div>
    <label class="check"><input type="checkbox" name="once" />${t("passes.once")}</label>
    <label class="check"><input type="checkbox" name="visitor" />${t("passes.visitor")}</label><label class="check"><input type="checkbox" name="blocked" />${t("passes.block")}</label>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("passes.add")}</button></div></form></${Dialog}>`;
}
