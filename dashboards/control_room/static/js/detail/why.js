/** Why there is an alert: what its rule says, the values it saw, and the events that made it. */
import { html } from "../html.js";
import { anyField, dataPairs, fieldOf, kindTitle, shown } from "../catalogue.js";
import { moment, span } from "../format.js";
import { say, t, word } from "../i18n.js";
import { deviceName } from "../place.js";
import { Tree } from "./tree.js";

/** @param {{alert: import("../types.js").Alert}} props */
export function Why({ alert }) {
  const values = Object.entries(alert.values ?? {});
  const evidence = [...(alert.evidence ?? [])].reverse();
  return html`<section class="why"><h3>${t("detail.why")}<span class="muted mono">${alert.rule}</span></h3>
    ${say(alert.reason) && html`<p>${say(alert.reason)}</p>`}
    ${values.length > 0 && html`<dl class="values">${values.map(([name, content]) => {
      const [title, text] = seen(alert, name, content);
      return html`<div key=${name}><dt>${title}</dt><dd>${text}</dd></div>`;
    })}</dl>`}
    ${evidence.length > 0 && html`<h4>${t("detail.evidence")}</h4><ol class="events">${evidence.slice(0, 10).map((event) => html`<li key=${event.seq}>
      <time>${moment(event.received)}</time><span class="grow"><span>${kindTitle(event.kind)}</span>
      ${event.device !== alert.device && html` <span class="muted">${deviceName(event.device)}</span>`}
      ${" "}<span class="pairs">${pairs(event.kind, event.data)}</span></span></li>`)}</ol>`}
    <${Tree} key=${alert.id} alert=${alert} />
  </section>`;
}

/**
 * A value that the rule saw, as `[title, text]`: a field of its evidence, or what the condition itself has measured.
 * @param {import("../types.js").Alert} alert @param {string} name @param {unknown} content
 */
function seen(alert, name, content) {
  const kind = alert.evidence?.find((event) => fieldOf(event.kind, name))?.kind;
  const field = kind === undefined ? anyField(name) : fieldOf(kind, name);
  if (field) return [say(field.title, name), shown(field, content)];
  const text = typeof content !== "number" ? shown(undefined, content)
    : name.endsWith("_s") ? span(content) : name === "last_heard" ? moment(content) : shown(undefined, content);
  return [word("measured", name), text];
}

/** An event's data on one line. @param {string} kind @param {Record<string, unknown>} data */
export function pairs(kind, data) {
  return dataPairs(kind, data).map(([title, content]) => html`<span key=${title} class="pair"><span class="muted">${title}</span> ${content}</span>`);
}
