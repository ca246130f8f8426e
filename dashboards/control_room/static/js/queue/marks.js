/** The marks of an alert that say where to look: it came first of its group; somebody works on it; it has stood for over a day. */
import { html } from "../html.js";
import { t } from "../i18n.js";

/** @typedef {import("../types.js").Alert} Alert */

/** Whether it came before the others of its zone and system. @param {Alert} alert */
export const isFirstOut = (alert) => alert.first_out === alert.id;

/** @param {{alert: Alert}} props */
export function Marks({ alert }) {
  return html`${isFirstOut(alert) && html`<span class="alert-mark first-out" title=${t("mark.first_out_long")}>${t("mark.first_out")}</span>`}${
    alert.outage && html`<span class="alert-mark outage" title=${t("mark.outage_long")}>${t("mark.outage")}</span>`}${
    alert.stale && html`<span class="alert-mark stale" title=${t("mark.stale_long")}>${t("mark.stale")}</span>`}`;
}
