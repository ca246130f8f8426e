/**
 * Commands to a device, in two steps: choose it, see the live state and what forbids it, then hold for a second. The page
 * is never optimistic: it shows what the gateway says of the command, "unknown" included.
 */
import { html, signal, useEffect, useRef, useState } from "../html.js";
import { may, post } from "../api.js";
import { dataPairs, kindTitle } from "../catalogue.js";
import { clock, moment, since } from "../format.js";
import { say, t, word } from "../i18n.js";
import { link } from "../live/stream.js";
import { commands, devices } from "../live/store.js";
import { wrong } from "../notices.js";
import { placeOf } from "../place.js";
import { bare } from "../words.js";
import { Progress, standing } from "./command_progress.js";
import { wordsOf } from "./command_words.js";
import { Dialog } from "../widgets/dialog.js";
import { HoldButton } from "../widgets/hold.js";

/** @typedef {import("../types.js").Device} Device */
/** @typedef {import("../types.js").Selection} Selection */

const chosen = signal(/** @type {{device: string, name: string}|null} */ (null));

/** The device's commands, and how the last ones ended. @param {{device: Device}} props */
export function CommandButtons({ device }) {
  const words = wordsOf(device);
  const last = commands.all().filter((command) => command.device === device.id)
    .sort((a, b) => String(b.requested_at).localeCompare(String(a.requested_at))).slice(0, 3);
  if (!words.length && !last.length) return null;
  return html`<div class="commands">
    ${may("operator") && words.length > 0 && html`<div class="command-buttons" role="group" aria-label=${t("command.title")}>
      ${words.map((name) => html`<button key=${name} type="button" class="command" disabled=${device.enabled === false}
        onClick=${() => { chosen.value = { device: device.id, name }; }}>${word("command", name)}…</button>`)}</div>`}
    <${CommandList} list=${last} />
  </div>`;
}

/** Commands and where they stand. @param {{list: import("../types.js").Command[]}} props */
export function CommandList({ list }) {
  if (!list.length) return null;
  return html`<ul class="plain command-list">${list.map((command) => html`<li key=${command.id} class=${`line command-${command.state}`}>
    <span>${word("command", command.name)}</span><span class="tag">${standing(command)}</span>
    <span class="grow muted">${command.detail}</span><span class="muted">${bare(command.by)}</span><time class="muted">${moment(command.finished_at ?? command.requested_at)}</time></li>`)}</ul>`;
}

/** The dialog of the chosen command, wherever it was chosen. */
export function CommandDialog() {
  const choice = chosen.value;
  const device = devices.get(choice?.device);
  return choice && device ? html`<${Confirm} key=${`${choice.device} ${choice.name}`} device=${device} name=${choice.name} />` : null;
}

/** Asks the gateway for a selection, and counts down until it lapses. @param {string} device @param {string} name @param {{current: boolean}} holding */
function useSelection(device, name, holding) {
  const [selection, setSelection] = useState(/** @type {Selection|null} */ (null));
  const [left, setLeft] = useState(0);
  const select = async () => {
    setSelection(null);
    try {
      const answer = await post(`/devices/${encodeURIComponent(device)}/commands/select`, { name, args: {} });
      setLeft(Math.floor(answer.confirm_within));
      setSelection(answer);
    } catch (error) {
      wrong(error);
      chosen.value = null;
    }
  };
  useEffect(() => {
    select();
    const timer = setInterval(() => setLeft((old) => (holding.current ? old : Math.max(0, old - 1))), 1000);
    return () => clearInterval(timer);
  }, []);
  return { selection, left, select };
}

/** @param {{device: Device, name: string}} props */
function Confirm({ device, name }) {
  const holding = useRef(false);
  const { selection, left, select } = useSelection(device.id, name, holding);
  const [sent, setSent] = useState("");
  const [reason, setReason] = useState("");
  const key = useRef(crypto.randomUUID?.() ?? String(Math.random()));
  const leave = () => {
    chosen.value = null;
  };
  const give = (/** @type {string} */ text) => {
    setReason(text);
    select();
  };
  const send = async () => {
    try {
      const body = { name, args: {}, confirm: selection?.confirm, ...(reason ? { reason } : {}) };
      const answer = await post(`/devices/${encodeURIComponent(device.id)}/commands`, body, { key: key.current });
      if (answer?.id) commands.put(answer);
      setSent(answer?.id ?? "");
    } catch (error) {
      wrong(error);
      leave();
    }
  };
  return html`<${Dialog} title=${`${word("command", name)} · ${say(device.name, device.id)}`} onClose=${leave}>
    <p class="about">${placeOf({ device: device.id }).join(" › ")} <span class="muted mono">${device.id}</span></p>
    <${LiveState} device=${device} />
    ${device.online === false && html`<p class="warning-line">${t("command.offline")}</p>`}
    ${link.value !== "live" && html`<p class="warning-line">${t("command.stale")}</p>`}
    ${sent
      ? html`<${Progress} command=${commands.get(sent)} /><div class="dialog-actions"><button type="button" class="primary" onClick=${leave}>${t("close")}</button></div>`
      : !selection
        ? html`<p class="muted" role="status">${t("loading")}</p>`
        : selection.blocked.length
          ? html`<${Blocked} selection=${selection} onAgain=${select} onCancel=${leave} />`
          : selection.needs_reason && !reason
            ? html`<${Reason} onReason=${give} onCancel=${leave} />`
            : left > 0
              ? html`<p class="muted">${t("command.free")}${selection.needs_second ? ` ${t("command.needs_second")}` : ""}</p>
                <${HoldButton} label=${t("command.hold", { command: word("command", name) })} hint=${t("command.left", { s: left })} disabled=${link.value !== "live"}
                  onHeld=${send} onHolding=${(/** @type {boolean} */ is) => { holding.current = is; }} />`
              : html`<p>${t("command.lapsed")}</p><${Again} onAgain=${select} onCancel=${leave} />`}
  </${Dialog}>`;
}

/** What forbids the command. @param {{selection: Selection, onAgain: () => void, onCancel: () => void}} props */
function Blocked({ selection, onAgain, onCancel }) {
  return html`<div role="alert"><p class="warning-line">${t("command.blocked")}</p>
    <ul class="plain">${selection.blocked.map((block) => html`<li key=${block.id} class="line">${say(block.reason, block.id)}</li>`)}</ul></div>
    <${Again} onAgain=${onAgain} onCancel=${onCancel} />`;
}

/** @param {{onAgain: () => void, onCancel: () => void}} props */
function Again({ onAgain, onCancel }) {
  return html`<div class="dialog-actions"><button type="button" onClick=${onCancel}>${t("cancel")}</button>
    <button type="button" class="primary" autofocus onClick=${onAgain}>${t("command.again")}</button></div>`;
}

/** Why: heavy commands are not taken without a reason. @param {{onReason: (reason: string) => void, onCancel: () => void}} props */
function Reason({ onReason, onCancel }) {
  const [text, setText] = useState("");
  const next = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (text.trim()) onReason(text.trim());
  };
  return html`<form onSubmit=${next}><label class="field">${t("command.reason")}<input required maxlength="300" autofocus value=${text}
      onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => setText(event.currentTarget.value)} /></label>
    <div class="dialog-actions"><button type="button" onClick=${onCancel}>${t("cancel")}</button><button class="primary">${t("command.next")}</button></div></form>`;
}

/** What the device last said, with its age: what a person must see before commanding. @param {{device: Device}} props */
export function LiveState({ device }) {
  const states = Object.entries(device.state ?? {});
  if (!states.length) return html`<p class="muted">${t("devices.no_state")}</p>`;
  return html`<div class="live-states">${states.map(([kind, state]) => html`<div key=${kind} class="live-state">
    <h4>${kindTitle(kind)}<span class="muted" title=${clock(state.received)}>${t("ago", { span: since(state.received) })}</span></h4>
    <dl class="values">${dataPairs(kind, state.data).map(([title, content]) => html`<div key=${title}><dt>${title}</dt><dd>${content}</dd></div>`)}</dl></div>`)}</div>`;
}
