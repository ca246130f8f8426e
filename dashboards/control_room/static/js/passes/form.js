/** The form of a pass: a plate, a card, a person, a visitor with a QR code, or one who is refused. */
import { html, useState } from "../html.js";
import { post } from "../api.js";
import { say, t } from "../i18n.js";
import { passes, sites, zones } from "../live/store.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";

/** @typedef {import("../types.js").Pass} Pass */

const DAY = 86_400_000;
const TEXTS = ["name", "note", "days", "hours", "household", "host", "picture"];
const NUMBERS = ["spaces", "entries"];

/**
 * Makes a pass, or with `pass`, unmasked, changes it. `onDone` gets what came of it.
 * @param {{pass?: Pass, kind?: string, onClose: () => void, onDone: (pass: Pass|null) => void}} props
 */
export function PassForm({ pass, kind: first = "plate", onClose, onDone }) {
  const [kind, setKind] = useState(pass?.kind ?? first);
  const [site, setSite] = useState(pass?.site ?? String(sites.items.keys().next().value ?? ""));
  const visitor = kind === "qr";
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const field = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
    const time = (/** @type {string} */ name) => (field(name) ? new Date(field(name)).toISOString() : null);
    const body = {
      ...(pass ? { id: pass.id, version: pass.version } : {}), site, kind, ...(visitor ? {} : { value: field("value") }),
      ...Object.fromEntries(TEXTS.filter(field).map((name) => [name, field(name)])),
      ...Object.fromEntries(NUMBERS.filter(field).map((name) => [name, Number(field(name))])),
      zones: form.getAll("zones").map(String), from_at: time("from"), until_at: time("until"),
      anti_passback: form.has("once"), visitor: form.has("visitor") || visitor, blocked: form.has("blocked"),
    };
    await attempt(async () => {
      const made = await post("/passes", body);
      if (made?.id) passes.put(made);
      onDone(made);
    }, t(pass ? "passes.changed" : "passes.added"));
  };
  const title = t(pass ? "passes.edit_title" : first === "qr" ? "passes.add_visitor" : "passes.add");
  return html`<${Dialog} wide title=${title} onClose=${onClose}><form onSubmit=${send}>
    ${visitor && html`<p class="hint">${t("passes.visitor_hint")}</p>`}
    <div class="form-grid">
      ${!pass && sites.all().length > 1 && html`<label class="field">${t("passes.site")}<select value=${site} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setSite(event.currentTarget.value)}>${sites.all().map((one) => html`<option key=${one.id} value=${one.id}>${say(one.name, one.id)}</option>`)}</select></label>`}
      ${!pass && first !== "qr" && html`<label class="field">${t("passes.kind")}<select name="kind" value=${kind} onChange=${(/** @type {{currentTarget: HTMLSelectElement}} */ event) => setKind(event.currentTarget.value)}>${["plate", "card", "person", "qr"].map((one) => html`<option key=${one} value=${one}>${t(`pass.${one}`)}</option>`)}</select></label>`}
      <${Whose} pass=${pass} kind=${kind} /><${When} pass=${pass} kind=${kind} /><${Where} pass=${pass} site=${site} />
    </div>
    <${Check} name="once" words="passes.once" on=${pass?.anti_passback} />${!visitor && html`<${Check} name="visitor" words="passes.visitor" on=${pass?.visitor} />`}<${Check} name="blocked" words="passes.block" on=${pass?.blocked} />
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t(pass ? "passes.save" : "passes.add_do")}</button></div></form></${Dialog}>`;
}

/** One field. @param {{name: string, value?: unknown, [more: string]: unknown}} props */
function Field({ name, value, ...more }) {
  return html`<label class="field">${t(`passes.${name}`)}<input name=${name} autocomplete="off" defaultValue=${value ?? ""} ...${more} /></label>`;
}

/** @param {{name: string, words: string, on?: boolean}} props */
function Check({ name, words, on }) {
  return html`<label class="check"><input type="checkbox" name=${name} defaultChecked=${Boolean(on)} />${t(words)}</label>`;
}

/** What it is and whose. @param {{pass?: Pass, kind: string}} props */
function Whose({ pass, kind }) {
  const visitor = kind === "qr";
  return html`${!visitor && html`<${Field} name="value" value=${pass?.value} required maxlength="64" />`}<${Field} name="name" value=${pass?.name} maxlength="100" />
    ${visitor ? html`<${Field} name="host" value=${pass?.host} maxlength="100" />` : html`<${Field} name="household" value=${pass?.household} maxlength="64" /><${Field} name="spaces" value=${pass?.spaces} type="number" min="0" max="1000" />`}
    ${kind === "person" && html`<${Field} name="picture" value=${pass?.picture} type="url" maxlength="500" />`}<${Field} name="note" value=${pass?.note} maxlength="300" />`;
}

/** From when until when, and how often; a new visitor's is for a day and once. @param {{pass?: Pass, kind: string}} props */
function When({ pass, kind }) {
  const fresh = !pass && kind === "qr";
  return html`<${Field} name="from" type="datetime-local" value=${local(pass?.from_at)} /><${Field} name="until" key=${`until-${fresh}`} type="datetime-local" value=${fresh ? local(Date.now() + DAY) : local(pass?.until_at)} />
    <${Field} name="days" value=${pass?.days} maxlength="100" /><${Field} name="hours" value=${pass?.hours} maxlength="200" />
    <${Field} name="entries" key=${`entries-${fresh}`} type="number" min="1" max="100000" value=${fresh ? 1 : pass?.entries} />`;
}

/** @param {{pass?: Pass, site: string}} props */
function Where({ pass, site }) {
  const places = zones.all().filter((zone) => zone.site === site);
  if (!places.length) return null;
  return html`<label class="field">${t("passes.zones")}<select name="zones" multiple size="4">${places.map((zone) => html`<option key=${zone.id} value=${zone.id} selected=${pass?.zones.includes(zone.id)}>${say(zone.name, zone.id)}</option>`)}</select></label>`;
}

/** A moment as the field of the browser wants it, in local time. @param {import("../types.js").Time|number|undefined} time */
function local(time) {
  if (!time) return "";
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
