/** Messages the gateway could not use: why, their bytes on request, and another try once the cause is mended. */
import { html, useState } from "../html.js";
import { get, may, post } from "../api.js";
import { moment, number } from "../format.js";
import { t, word } from "../i18n.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";
import { usePolled } from "./polled.js";

/** @typedef {{id: number, received: string, fate: string, adapter: string, topic: string, device: string, place: string, reason: string, size: number, state: string, payload: string|null}} DeadLetter */

export function DeadLetters() {
  const [answer, again] = usePolled("/dead-letters?state=kept&limit=100", 10);
  const [opened, setOpened] = useState(/** @type {DeadLetter|null} */ (null));
  const items = /** @type {DeadLetter[]} */ (answer?.items ?? []);
  const act = (/** @type {number} */ id, /** @type {string} */ verb) => attempt(() => post(`/dead-letters/${id}/${verb}`), t(`dead.${verb}.done`)).then(again);
  const nothing = answer?.forbidden ? t("health.forbidden") : answer ? t("dead.none") : t("loading");
  return html`<header class="panel-head"><h2 id="dead-title">${t("dead.title")}</h2><span class="muted">${items.length || ""}</span></header>
    ${items.length === 0 ? html`<p class="empty muted">${nothing}</p>` : html`<div class="scroll" tabindex="0" role="group" aria-labelledby="dead-title"><table>
      <thead><tr><th>${t("dead.when")}</th><th>${t("dead.fate")}</th><th>${t("dead.topic")}</th><th>${t("dead.reason")}</th><th class="number">${t("dead.size")}</th><th><span class="visually-hidden">${t("detail.actions")}</span></th></tr></thead>
      <tbody>${items.map((letter) => html`<tr key=${letter.id}><td class="nowrap">${moment(letter.received)}</td><td class="nowrap">${word("fate", letter.fate)}</td>
        <td class="mono wrap">${letter.topic || letter.adapter}</td><td class="wrap">${letter.place && html`<span class="mono">${letter.place}</span> `}${letter.reason}</td><td class="number nowrap">${number(letter.size)} B</td>
        <td class="number nowrap">${may("engineer") && html`<button type="button" class="quiet-button" onClick=${() => setOpened(letter)}>${t("dead.payload")}</button>
          <button type="button" class="quiet-button" onClick=${() => act(letter.id, "retry")}>${t("dead.retry")}</button>
          <button type="button" class="quiet-button" onClick=${() => act(letter.id, "discard")}>${t("dead.discard")}</button>`}</td></tr>`)}</tbody></table></div>`}
    ${opened && html`<${Bytes} letter=${opened} onClose=${() => setOpened(null)} />`}`;
}

/** The bytes of a message, for a reason that is kept in the audit: they may hold personal data. @param {{letter: DeadLetter, onClose: () => void}} props */
function Bytes({ letter, onClose }) {
  const [reason, setReason] = useState("");
  const [text, setText] = useState(/** @type {string|null} */ (null));
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => {
      const full = await get(`/dead-letters/${letter.id}?reveal=${encodeURIComponent(reason.trim())}`);
      setText(decode(full.payload ?? ""));
    });
  };
  return html`<${Dialog} title=${t("dead.payload")} wide=${true} onClose=${onClose}><p class="about">${letter.reason}</p>
    ${text === null
      ? html`<form onSubmit=${send}><p class="hint">${t("passes.reveal_hint")}</p>
          <label class="field">${t("passes.reveal_reason")}<input required minlength="3" maxlength="300" value=${reason} onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setReason(event.currentTarget.value)} /></label>
          <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("dead.show")}</button></div></form>`
      : html`<pre tabindex="0">${text.slice(0, 8000)}</pre>`}</${Dialog}>`;
}

/** Bytes as text where they are text, else as hexadecimal. @param {string} payload base64 */
function decode(payload) {
  const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  }
}
