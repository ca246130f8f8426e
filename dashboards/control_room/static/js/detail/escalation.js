/** Where an alert stands in its chain: who was told, by what, whom nothing reaches, and when the next level is due. */
import { html } from "../html.js";
import { hourMinute, moment } from "../format.js";
import { t, word } from "../i18n.js";
import { href } from "../route.js";

/** @typedef {import("../types.js").Alert} Alert */

/** In a few words, for a row of the queue; "" where it does not escalate. @param {Alert} alert */
export function escalationWord(alert) {
  const where = alert.escalation;
  if (!where || where.state === "stopped") return "";
  if (!where.next_at) return t("escalation.level", { n: where.level, all: where.levels });
  return `${where.level}/${where.levels} → ${hourMinute(where.next_at)}`;
}

/** @param {{alert: Alert}} props */
export function EscalationStory({ alert }) {
  const where = alert.escalation;
  if (!where) return null;
  const state = where.state === "stopped" ? word("escalation_stop", where.stopped_by) : where.next_at ? t("escalation.due", { time: moment(where.next_at) }) : t("escalation.end");
  return html`<section><h3>${t("escalation.title")}<span class="count">${t("escalation.level", { n: where.level, all: where.levels })}</span></h3>
    <ol class="story">${where.told.map((call, index) => html`<li key=${index}><time>${moment(call.told_at)}</time><span class="who">${t("escalation.call", { n: call.level })}</span>
      <span class="grow">${call.people.join(", ") || t("escalation.nobody")} <span class="muted">${call.by.join(" → ") || t("escalation.page")}</span>
        ${call.note && html` <span class="tag warn">${word("escalation_note", call.note)}</span>`}${call.missed.length > 0 && html` <span class="tag warn">${t("escalation.missed", { names: call.missed.join(", ") })}</span>`}</span></li>`)}</ol>
    <p class="hint">${state} <a href=${href("duty")}>${t("messages.title")}</a></p></section>`;
}
