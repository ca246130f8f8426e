/** The versions of a pack: who made them, when and why; what changed since, and the way back. */
import { classes, html, useEffect, useState } from "../html.js";
import { get, may, post } from "../api.js";
import { moment } from "../format.js";
import { t } from "../i18n.js";
import { attempt, wrong } from "../notices.js";
import { bare } from "../words.js";
import { Dialog } from "../widgets/dialog.js";
import { compare } from "./diff.js";

/** @typedef {import("./rules.js").PackInfo} PackInfo */
/** @typedef {import("./rules.js").Version} Version */

/** @param {{name: string, pack: PackInfo, onRestored: (pack: PackInfo) => void}} props */
export function Versions({ name, pack, onRestored }) {
  const path = `/rules/packs/${encodeURIComponent(name)}`;
  const [list, setList] = useState(/** @type {Version[]|null} */ (null));
  const [opened, setOpened] = useState(/** @type {Version|null} */ (null));
  useEffect(() => {
    get(`${path}/versions?limit=100`).then((answer) => setList(answer.items), wrong);
  }, [name, pack]);
  const open = (/** @type {Version} */ version) => attempt(async () => setOpened(await get(`${path}/versions/${version.number}`)));
  return html`<section aria-labelledby="versions-title"><h3 id="versions-title">${t("rules.versions")}</h3>
    ${list === null ? html`<p class="muted">${t("loading")}</p>` : html`<ol class="story">${list.map((version) => html`<li key=${version.number}>
      <time>${moment(version.created_at)}</time><span class="who">${bare(version.author)}</span>
      <span class="grow"><span class=${classes("tag", version.number === pack.version && "on")}>${t("rules.version", { n: version.number })}</span> ${version.state !== "accepted" && html`<span class="tag warn">${t(`rules.state.${version.state}`)}</span>`} ${version.reason}${version.confirmed_by && html`<span class="muted"> · ${t("rules.confirmed_by", { who: bare(version.confirmed_by) })}</span>`}</span>
      <button type="button" class="quiet-button" onClick=${() => open(version)}>${t("rules.compare")}</button></li>`)}</ol>`}
    ${opened && html`<${Compared} version=${opened} pack=${pack} path=${path} onClose=${() => setOpened(null)} onRestored=${onRestored} />`}</section>`;
}

/** What changed from a version to what is in force. @param {{version: Version, pack: PackInfo, path: string, onClose: () => void, onRestored: (pack: PackInfo) => void}} props */
function Compared({ version, pack, path, onClose, onRestored }) {
  const [reason, setReason] = useState("");
  const lines = compare(version.text ?? "", pack.text ?? "");
  const same = lines.every((line) => line.kind === "same");
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => {
      const answer = await post(`${path}/restore`, { number: version.number, reason: reason.trim() }, { version: pack.version, timeout: 60000 });
      onClose();
      onRestored(answer);
    }, t("rules.restored"));
  };
  return html`<${Dialog} title=${t("rules.compared", { n: version.number, now: pack.version })} wide=${true} onClose=${onClose}>
    ${same ? html`<p class="about">${t("rules.same")}</p>` : html`<pre class="diff" tabindex="0">${lines.map((line, index) => html`<span key=${index} class=${`diff-${line.kind}`}>${line.kind === "in" ? "+ " : line.kind === "out" ? "− " : "  "}${line.text}${"\n"}</span>`)}</pre>`}
    ${may("engineer") && !same && html`<form onSubmit=${send}><label class="field">${t("rules.reason")}<input required maxlength="2000" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
      <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("rules.restore", { n: version.number })}</button></div></form>`}</${Dialog}>`;
}
