/** The keys, on one card. */
import { html, signal } from "../html.js";
import { t } from "../i18n.js";
import { Dialog } from "../widgets/dialog.js";

export const helping = signal(false);

const KEYS = [
  ["J / ↓", "keys.down"], ["K / ↑", "keys.up"], ["Enter", "keys.open"], ["A", "keys.acknowledge"], ["H", "keys.shelve"],
  ["S", "keys.silence"], ["/", "keys.search"], ["Esc", "keys.back"], ["?", "keys.help"],
];
const GO = [["G A", "nav.alerts"], ["G D", "nav.devices"], ["G W", "nav.orders"], ["G T", "nav.schedules"], ["G O", "nav.duty"], ["G P", "nav.plans"], ["G C", "nav.passes"], ["G M", "nav.commands"], ["G R", "nav.rules"], ["G K", "nav.reports"], ["G S", "nav.health"]];

export function Help() {
  if (!helping.value) return null;
  const list = (/** @type {string[][]} */ keys) => html`<dl class="key-list">${keys.map(([key, text]) => html`<div key=${key}><dt>${key.split(" ").map((each) => (each === "/" && key !== "/" ? " / " : html`<kbd>${each}</kbd>`))}</dt><dd>${t(text)}</dd></div>`)}</dl>`;
  return html`<${Dialog} title=${t("help.title")} wide=${true} onClose=${() => { helping.value = false; }}>
    <div class="two">${list(KEYS)}${list(GO)}</div><p class="hint">${t("help.hint")}</p></${Dialog}>`;
}
