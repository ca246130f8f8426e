/** The last hundred commands, and those that wait for a second person. */
import { classes, html, useEffect } from "../html.js";
import { get, may, post, session } from "../api.js";
import { moment, shortSpan, age } from "../format.js";
import { t, word } from "../i18n.js";
import { tick } from "../live/clock.js";
import { commands } from "../live/store.js";
import { link } from "../live/stream.js";
import { attempt } from "../notices.js";
import { deviceName, placeOf } from "../place.js";
import { href } from "../route.js";
import { bare } from "../words.js";
import { HoldButton } from "../widgets/hold.js";
import { awaitsSecond, standing } from "./command_progress.js";

/** @typedef {import("../types.js").Command} Command */

const SHOWN = 100;

/** Commands that wait for this person, as they asked for none of them. */
export const waiting = () => commands.all().filter((command) => awaitsSecond(command) && command.by !== `user:${session.value?.name}`);

/** The screen. */
export function Commands() {
  useEffect(() => {
    get(`/commands?limit=${SHOWN}`).then((page) => commands.putAll(page.items ?? []), () => undefined).finally(() => { commands.loaded.value = true; });
  }, []);
  const all = commands.all().sort((a, b) => String(b.requested_at).localeCompare(String(a.requested_at))).slice(0, SHOWN);
  const seconds = all.filter((command) => awaitsSecond(command));
  return html`<div class="screen"><section class="panel" aria-labelledby="commands-title">
    <header class="panel-head"><h1 id="commands-title">${t("nav.commands")}</h1></header>
    ${seconds.length > 0 && html`<div class="seconds" role="group" aria-label=${t("commands.second")}>${seconds.map((command) => html`<${Second} key=${command.id} command=${command} />`)}</div>`}
    <div class="scroll" tabindex="0" aria-label=${t("nav.commands")}><table><thead><tr><th>${t("commands.at")}</th><th>${t("commands.word")}</th><th>${t("commands.device")}</th><th>${t("commands.state")}</th><th>${t("commands.by")}</th><th>${t("commands.reason")}</th></tr></thead>
      <tbody>${all.map((command) => html`<${Row} key=${command.id} command=${command} />`)}</tbody></table>
      ${!all.length && html`<p class="empty muted">${commands.loaded.value ? t("commands.none") : t("loading")}</p>`}</div>
  </section></div>`;
}

/** @param {{command: Command}} props */
function Row({ command }) {
  return html`<tr class=${classes(["expired", "rejected"].includes(command.state) && "past")}><td>${moment(command.requested_at)}</td><td>${word("command", command.name)}</td>
    <td><a href=${href("devices", command.device)}>${deviceName(command.device)}</a></td>
    <td><span class=${`tag command-${command.observation === "missing" ? "unknown" : command.state}`}>${standing(command)}</span> <span class="muted">${command.detail}</span></td>
    <td class="short">${bare(command.by)}${command.second_by ? ` + ${bare(command.second_by)}` : ""}</td><td class="muted">${why(command)}</td></tr>`;
}

/** Why it was given: a person's or a rule's own words, or what the passes decided. @param {Command} command */
const why = (command) => (command.by.startsWith("pass") ? word("decision", command.reason ?? "") : command.reason);

/** One that waits: the second person looks, and holds, or refuses. @param {{command: Command}} props */
function Second({ command }) {
  void tick.value;
  const mine = command.by === `user:${session.value?.name}`;
  const left = Math.max(0, -age(command.expires));
  const path = `/commands/${encodeURIComponent(command.id)}`;
  const approve = () => attempt(async () => { commands.put(await post(`${path}/approve`)); }, t("commands.approved"));
  const withdraw = () => attempt(async () => { commands.put(await post(`${path}/withdraw`)); }, t("commands.withdrawn"));
  return html`<article class="second"><div><h2>${word("command", command.name)} · ${deviceName(command.device)}</h2>
      <p>${placeOf({ device: command.device }).join(" › ")}</p><p class="muted">${bare(command.by)}: ${command.reason || "–"} · ${t("commands.left", { span: shortSpan(left) })}</p></div>
    ${may("operator") && html`<div class="actions">${!mine && html`<${HoldButton} label=${t("commands.approve")} hint=${t("commands.approve_hint")} disabled=${link.value !== "live"} onHeld=${approve} />`}
      <button type="button" onClick=${withdraw}>${mine ? t("commands.withdraw") : t("commands.refuse")}</button></div>`}</article>`;
}
