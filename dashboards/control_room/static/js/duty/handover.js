/** The hand-over 交接单: filled from what stands open, signed by two. */
import { html } from "../html.js";
import { moment } from "../format.js";
import { say, t, word } from "../i18n.js";
import { href } from "../route.js";
import { bare } from "../words.js";

const SCREEN = /** @type {Record<string, string>} */ ({ alerts: "alerts", shelved: "alerts", steps: "plans", offline: "devices" });

/** @param {{handover: any}} props */
export function Handover({ handover }) {
  if (!handover?.chapters) return null;
  return html`<div class="handover">
    <h3>${handover.signed ? t("handover.signed", { who: bare(handover.signed_by), time: moment(handover.signed_at) }) : t("handover.preview")}</h3>
    ${handover.in_place_of && html`<p>${t("handover.instead", { who: bare(handover.in_place_of), reason: handover.reason })}</p>`}
    ${handover.blocking.length > 0 && html`<p role="status" class="late">${t("handover.blocked", { n: handover.blocking.length })} ${handover.blocking.map((/** @type {string} */ id) => html`<a key=${id} href=${href("alerts", id)}>${id}</a> `)}</p>`}
    ${handover.notes && html`<p>${handover.notes}</p>`}
    ${handover.chapters.map((/** @type {any} */ chapter) => html`<details key=${chapter.name} open=${chapter.total > 0 && chapter.total <= 10}><summary>${t(`handover.${chapter.name}`)} <span class="count">${chapter.total}</span></summary>
      <ul class="plain">${chapter.items.map((/** @type {any} */ item, /** @type {number} */ index) => html`<li key=${index}>${SCREEN[chapter.name] ? html`<a href=${href(SCREEN[chapter.name], item.ref)}>${say(item.title, item.ref)}</a>` : say(item.title, item.ref)}
        <span class="muted">${word("severity", item.severity)} ${item.since_at ? moment(item.since_at) : ""} ${bare(item.who) || item.who} ${item.note}</span></li>`)}</ul></details>`)}</div>`;
}
