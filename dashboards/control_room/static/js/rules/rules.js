/** Rules, looked back on: what others would have said of a time that is over. */
import { html } from "../html.js";
import { may } from "../api.js";
import { t } from "../i18n.js";
import { Backtest } from "./backtest.js";

/** The screen. */
export function Rules() {
  return html`<div class="screen rules"><section class="panel wide" aria-labelledby="backtest-title">
    <header class="panel-head"><h1 id="backtest-title">${t("backtest.title")}</h1></header>
    ${may("engineer") ? html`<${Backtest} />` : html`<p class="empty muted">${t("backtest.forbidden")}</p>`}
  </section></div>`;
}
