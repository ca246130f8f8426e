/** The messages to people: who was told by what, and what did not arrive. */
import { classes, html, signal } from "../html.js";
import { may, post } from "../api.js";
import { moment } from "../format.js";
import { usePolled } from "../health/polled.js";
import { say, t } from "../i18n.js";
import { attempt } from "../notices.js";

const onlyUnsent = signal(false);

/** The log, and the channels that fail. */
export function Messages() {
  const [answer, again] = usePolled(`/notifications?limit=100${onlyUnsent.value ? "&state=unsent" : ""}`, 10);
  const items = /** @type {any[]} */ (answer?.items ?? []);
  const retry = (/** @type {string} */ id) => attempt(async () => {
    await post(`/notifications/${encodeURIComponent(id)}/retry`);
    again();
  }, t("messages.retried"));
  return html`<header class="panel-head"><h2 id="messages-title">${t("messages.title")}</h2><span class="spacer"></span>
      <button type="button" class="chip" aria-pressed=${onlyUnsent.value ? "true" : "false"} onClick=${() => { onlyUnsent.value = !onlyUnsent.value; }}>${t("messages.unsent")}</button></header>
    ${may("operator") && html`<${Channels} />`}
    <div class="scroll" tabindex="0" role="group" aria-labelledby="messages-title"><table>
      <thead><tr><th>${t("messages.at")}</th><th>${t("messages.what")}</th><th>${t("messages.who")}</th><th>${t("column.state")}</th><th><span class="visually-hidden">${t("detail.actions")}</span></th></tr></thead>
      <tbody>${items.map((one) => html`<tr key=${one.id}><td class="nowrap">${moment(one.created_at)}</td><td>${say(one.title, one.id)}</td>
        <td>${one.people.join(", ")} <span class="muted">${one.sent_by || one.channels.join(" → ")}</span></td>
        <td><span class=${classes("tag", (one.state === "failed" || one.tried.length > 0) && one.state !== "sent" && "warn")}>${t(`message.${one.state}`)}</span>${one.state !== "sent" && one.tried.length > 0 && html` <span class="muted">${one.tried.at(-1).error}</span>`}</td>
        <td class="number">${may("operator") && ["failed", "pending"].includes(one.state) && !one.flying && html`<button type="button" class="quiet-button" onClick=${() => retry(one.id)}>${t("messages.retry")}</button>`}</td></tr>`)}</tbody></table>
      ${!items.length && html`<p class="empty muted">${answer ? t("messages.none") : t("loading")}</p>`}</div>`;
}

function Channels() {
  const [answer] = usePolled("/channels", 30);
  const items = /** @type {any[]} */ (answer?.items ?? []);
  const test = (/** @type {string} */ channel) => attempt(() => post("/notifications/test", { channel }), t("messages.tested"));
  return html`<ul class="plain channels">${items.map((one) => html`<li key=${one.id} class="inline"><span class=${classes("tag", one.failing && "warn")}>${one.id}</span><span class="muted">${one.failing || t("messages.fine")}</span>
    ${may("engineer") && !one.needs && html`<button type="button" class="quiet-button" onClick=${() => test(one.id)}>${t("messages.test")}</button>`}</li>`)}
    ${answer && !items.length && html`<li class="muted">${t("messages.no_channels")}</li>`}</ul>`;
}
