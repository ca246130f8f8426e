/** One pack: its text to be edited, what is wrong with it at its lines, the change that waits, and its versions. */
import { html, useEffect, useRef, useState } from "../html.js";
import { ApiError, call, get, may } from "../api.js";
import { moment } from "../format.js";
import { t } from "../i18n.js";
import { attempt, done, wrong } from "../notices.js";
import { bare } from "../words.js";
import { Versions } from "./versions.js";

/** @typedef {import("./rules.js").PackInfo} PackInfo */
/** @typedef {import("./rules.js").Mistake} Mistake */
/** @typedef {import("./rules.js").Version} Version */

/** @param {string} name */
export const pathOf = (name) => `/rules/packs/${encodeURIComponent(name)}`;

/** @param {{name: string, info: PackInfo|null, onChange: () => void}} props */
export function Pack({ name, info, onChange }) {
  const [pack, setPack] = useState(/** @type {PackInfo|null|undefined} */ (undefined));
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [mistakes, setMistakes] = useState(/** @type {Mistake[]} */ ([]));
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const take = (/** @type {PackInfo|null} */ known) => {
    setPack(known);
    setText(known?.text ?? "");
    setMistakes([]);
    setReason("");
  };
  const load = () => get(pathOf(name)).then(take, (error) => (error instanceof ApiError && error.status === 404 ? take(null) : wrong(error)));
  useEffect(() => {
    load();
  }, [name]);
  if (pack === undefined) return html`<p class="empty muted">${t("loading")}</p>`;
  const dirty = text !== (pack?.text ?? "");
  const writable = may("engineer") && !pack?.shipped;
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setMistakes([]);
    try {
      const answer = await call("PUT", pathOf(name), { body: { text, reason: reason.trim() }, version: pack?.version ?? 0, timeout: 60000 });
      take(answer);
      done(answer.waiting ? t("rules.waits") : t("rules.saved"));
    } catch (error) {
      if (error instanceof ApiError && error.errors.length) setMistakes(/** @type {Mistake[]} */ (error.errors));
      else wrong(error);
    }
    onChange();
  };
  const remove = () => attempt(async () => take(await call("DELETE", `${pathOf(name)}?reason=${encodeURIComponent(reason.trim())}`, { version: pack?.version })), t("rules.saved")).then(onChange);
  const jump = (/** @type {Mistake} */ mistake) => {
    const at = text.split("\n").slice(0, mistake.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + mistake.column - 1;
    area.current?.focus();
    area.current?.setSelectionRange(at, at + Math.max(1, mistake.text.length));
  };
  return html`<div class="sheet"><${Head} name=${name} pack=${pack} info=${info} onReload=${load} />
    ${pack?.waiting && html`<${Waiting} version=${pack.waiting} onDone=${(/** @type {PackInfo} */ known) => { take(known); onChange(); }} />`}
    ${pack?.refused && html`<section aria-label=${t("rules.state.refused")}><h3>${t("rules.file_refused")}</h3><${Mistakes} list=${pack.refused.problems} /></section>`}
    <section><form class="rules-form" onSubmit=${send}>
      <label class="field">${t("rules.text")}<textarea ref=${area} class="mono code" spellcheck="false" rows="22" readonly=${!writable} value=${text}
        onInput=${(/** @type {{currentTarget: HTMLTextAreaElement}} */ event) => setText(event.currentTarget.value)}></textarea></label>
      ${mistakes.length > 0 && html`<div role="alert"><h3>${t("rules.mistakes", { n: mistakes.length })}</h3><${Mistakes} list=${mistakes} onJump=${jump} /></div>`}
      ${writable && html`<label class="field">${t("rules.reason")}<input required maxlength="2000" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
      <div class="actions"><button class="primary" disabled=${!dirty || !reason.trim()}>${t("rules.save")}</button>
        ${pack && !pack.deleted && html`<button type="button" disabled=${!reason.trim()} onClick=${remove}>${t("rules.delete")}</button>`}</div>`}
    </form></section>
    ${pack && !pack.shipped && html`<${Versions} name=${name} pack=${pack} onRestored=${(/** @type {PackInfo} */ known) => { take(known); onChange(); }} />`}
  </div>`;
}

/** What the pack is, and whether somebody else changed it. @param {{name: string, pack: PackInfo|null, info: PackInfo|null, onReload: () => void}} props */
function Head({ name, pack, info, onReload }) {
  const stale = pack !== null && info !== null && info.version !== pack.version;
  return html`<header class="sheet-head"><h2>${name}</h2>
    <p class="sheet-line muted">${pack === null ? t("rules.is_new") : pack.shipped ? t("rules.is_shipped") : `${t("rules.version", { n: pack.version })} · ${bare(pack.author ?? "")}`}
      ${pack?.written === false && html`<span class="tag warn">${t("rules.unwritten")}</span>`}</p>
    ${stale && html`<p class="sheet-line"><span class="tag warn">${t("rules.moved_on")}</span><button type="button" onClick=${onReload}>${t("rules.reload")}</button></p>`}</header>`;
}

/** What is wrong, each with its place. @param {{list: Mistake[], onJump?: (mistake: Mistake) => void}} props */
function Mistakes({ list, onJump }) {
  return html`<ol class="plain mistakes">${list.map((mistake, index) => html`<li key=${index}>
    ${onJump ? html`<button type="button" class="quiet-button mono" onClick=${() => onJump(mistake)}>${t("rules.line", { line: mistake.line, column: mistake.column })}</button>` : html`<span class="mono">${t("rules.line", { line: mistake.line, column: mistake.column })}</span>`}
    <span class="grow">${mistake.message}${mistake.suggestion && html`<span class="muted"> · ${mistake.suggestion}</span>`}</span></li>`)}</ol>`;
}

/** A change that is being checked, or would hide critical alerts. @param {{version: Version, onDone: (pack: PackInfo) => void}} props */
function Waiting({ version, onDone }) {
  const act = (/** @type {string} */ method, /** @type {string} */ path, /** @type {string} */ said) => attempt(async () => onDone(await call(method, pathOf(version.pack) + path, method === "POST" ? { body: { number: version.number } } : {})), said);
  return html`<section class="advice" aria-labelledby="waiting-title"><h3 id="waiting-title">${t(`rules.state.${version.state}`)}</h3>
    <p>${t("rules.waiting_text", { n: version.number, who: bare(version.author), reason: version.reason })}</p>
    ${version.state === "waiting" && html`<p>${t("rules.would_hide", { n: version.hidden.length })}</p>
      <ul class="plain">${version.hidden.slice(0, 50).map((alert) => html`<li key=${alert.alert}><a class="line" href=${`#/alerts/${alert.alert}`}><span class="muted nowrap">${moment(alert.raised_at)}</span> <span class="mono">${alert.rule}</span> ${alert.scope} <span class="muted">${t(`rules.why.${alert.why}`)}</span></a></li>`)}</ul>`}
    ${may("engineer") && html`<div class="actions">${version.state === "waiting" && html`<button type="button" class="primary" onClick=${() => act("POST", "/pending/confirm", t("rules.confirmed"))}>${t("rules.confirm")}</button>`}
      <button type="button" onClick=${() => act("DELETE", "/pending", t("rules.withdrawn"))}>${t("rules.withdraw")}</button></div>`}</section>`;
}
