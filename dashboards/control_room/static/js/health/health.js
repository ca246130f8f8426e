/** Whether Gatehouse itself is well: its links, the ledger that must add up, dead letters and the quarantine. */
import { classes, html } from "../html.js";
import { number, span } from "../format.js";
import { t, word } from "../i18n.js";
import { link, linkStory, serverVersion, silence } from "../live/stream.js";
import { DeadLetters } from "./dead_letters.js";
import { usePolled } from "./polled.js";
import { Quarantine } from "./quarantine.js";

/** The screen. */
export function Health() {
  const [status] = usePolled("/status", 5);
  const [ledger] = usePolled("/ledger", 3);
  return html`<div class="screen health">
    <h1 class="visually-hidden">${t("nav.health")}</h1>
    <section class="panel" aria-labelledby="status-title"><header class="panel-head"><h2 id="status-title">${t("health.status")}</h2></header><${Status} status=${status} /></section>
    <section class="panel" aria-labelledby="ledger-title"><header class="panel-head"><h2 id="ledger-title">${t("health.ledger")}</h2></header><${Ledger} ledger=${ledger} /></section>
    <section class="panel wide" aria-labelledby="dead-title"><${DeadLetters} /></section>
    <section class="panel wide" aria-labelledby="quarantine-title"><${Quarantine} /></section>
  </div>`;
}

/** What a link of the gateway says of itself, in one word. @param {any} state */
function linkWord(state) {
  if (state === true || state === "up" || state === "ok" || state === "connected" || state?.up === true || state?.connected === true) return "up";
  return state === false || state === "down" || state?.up === false || state?.connected === false ? "down" : String(state?.state ?? state?.status ?? state);
}

/** @param {{status: any}} props */
function Status({ status }) {
  if (!status) return html`<p class="empty muted">${t("loading")}</p>`;
  const links = Object.entries(status.links ?? {});
  const counts = Object.entries(status.counts ?? {}).filter(([, count]) => typeof count === "number");
  return html`<ul class="plain checks">
      <${Check} name=${t("health.page_link")} fine=${link.value === "live"} text=${t(`link.${link.value}`)} detail=${Number.isNaN(silence.value) ? "" : t("health.beat", { s: number(silence.value / 1000, 1) })} />
      ${links.map(([name, state]) => html`<${Check} key=${name} name=${word("health.link", name)} fine=${linkWord(state) === "up"} text=${word("health.state", linkWord(state))} detail=${/** @type {any} */ (state)?.detail ?? ""} />`)}
      ${status.core?.rules && html`<${RulesCheck} rules=${status.core.rules} />`}
    </ul>
    <dl class="facts roomy">
      <div><dt>${t("health.version")}</dt><dd>${status.version ?? serverVersion.value}</dd></div>
      ${status.uptime_seconds !== undefined && html`<div><dt>${t("health.uptime")}</dt><dd>${span(Number(status.uptime_seconds))}</dd></div>`}
      ${status.last_change !== undefined && html`<div><dt>${t("health.last_change")}</dt><dd>${number(Number(status.last_change))}</dd></div>`}
      ${status.streams !== undefined && html`<div><dt>${t("health.streams")}</dt><dd>${number(Number(status.streams))}</dd></div>`}
      <div><dt>${t("health.resumed")}</dt><dd>${t("health.resumed_text", linkStory.value)}</dd></div>
      ${counts.map(([name, count]) => html`<div key=${name}><dt>${word("health.count", name)}</dt><dd>${number(/** @type {number} */ (count))}</dd></div>`)}
    </dl>`;
}

/** Whether the rules are as their files have them. @param {{rules: {count: number, refused: Record<string, unknown>, waiting: string[], unwritten: string[]}}} props */
function RulesCheck({ rules }) {
  const refused = Object.keys(rules.refused ?? {});
  const open = rules.waiting ?? [];
  const text = refused.length ? t("rules.state.refused") : open.length ? t("rules.state.waiting") : t("rules.count", { n: rules.count });
  return html`<${Check} name=${t("nav.rules")} fine=${!refused.length && !open.length} text=${text} detail=${[...refused, ...open].join(", ")} />`;
}

/** @param {{name: string, fine: boolean, text: string, detail?: string}} props */
function Check({ name, fine, text, detail = "" }) {
  return html`<li class=${classes("check-line", !fine && "bad")}><span class="dot" aria-hidden="true"></span><span class="check-name">${name}</span><span>${text}</span><span class="muted grow">${detail}</span></li>`;
}

const FATES = ["accepted", "duplicate", "late", "unknown_device", "undecodable", "ignored", "oversized"];

/** Every message got exactly one fate: the proof, in numbers and as a bar. @param {{ledger: {received?: number, fates?: Record<string, number>}|null}} props */
function Ledger({ ledger }) {
  if (!ledger?.fates) return html`<p class="empty muted">${ledger ? t("health.no_ledger") : t("loading")}</p>`;
  const fates = [...FATES, ...Object.keys(ledger.fates).filter((fate) => !FATES.includes(fate))].map((fate) => /** @type {const} */ ([fate, ledger.fates?.[fate] ?? 0]));
  const sum = fates.reduce((total, [, count]) => total + count, 0);
  const received = ledger.received ?? 0;
  const fine = sum === received;
  return html`<p class=${classes("proof", !fine && "bad")}><span><strong>${number(received)}</strong> ${t("health.received")}</span><span class="sign">${fine ? "=" : "≠"}</span><span><strong>${number(sum)}</strong> ${t("health.fates")}</span>
      <span class="tag">${fine ? t("health.adds_up") : t("health.adds_not_up")}</span></p>
    <ul class="plain fates">${fates.map(([fate, count]) => html`<li key=${fate} class=${count ? "" : "none"}><span>${word("fate", fate)}</span>
      <span class="bar" aria-hidden="true"><span style=${{ width: `${received ? Math.max(count ? 1 : 0, (100 * count) / received) : 0}%` }}></span></span><span class="number">${number(count)}</span></li>`)}</ul>`;
}
