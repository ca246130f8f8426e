/** Rules 规则: the packs of the site and of the product; an editor, the versions, and changes that wait. Without a pack: backtests. */
import { classes, html, useEffect, useState } from "../html.js";
import { may } from "../api.js";
import { t } from "../i18n.js";
import { packsChanged } from "../live/store.js";
import { go, route } from "../route.js";
import { bare } from "../words.js";
import { Dialog } from "../widgets/dialog.js";
import { usePolled } from "../health/polled.js";
import { Backtest } from "./backtest.js";
import { Pack } from "./pack.js";

/**
 * @typedef {{alert: string, rule: string, scope: string, raised_at: string, why: string}} HiddenAlert
 * @typedef {{file: string, line: number, column: number, message: string, text: string, suggestion: string}} Mistake
 * @typedef {{pack: string, number: number, created_at: string, author: string, reason: string, state: string, rules: number,
 *   confirmed_by: string|null, hidden: HiddenAlert[], problems: Mistake[], text?: string|null}} Version
 * @typedef {{name: string, shipped: boolean, deleted: boolean, version: number, rules: number, author: string|null, written: boolean,
 *   waiting: Version|null, refused: Version|null, text?: string|null}} PackInfo
 */

/** The screen. */
export function Rules() {
  const [answer, again] = usePolled("/rules/packs", 10);
  const [adding, setAdding] = useState(false);
  useEffect(() => {
    if (packsChanged.value) again();
  }, [packsChanged.value]);
  const packs = /** @type {PackInfo[]} */ (answer?.items ?? []);
  const own = packs.filter((pack) => !pack.shipped);
  const chosen = route.value.id;
  const known = packs.find((pack) => pack.name === chosen);
  return html`<div class="screen board-split rules-screen">
    <section class="panel" aria-labelledby="rules-title">
      <header class="panel-head"><h1 id="rules-title">${t("nav.rules")}</h1><span class="spacer"></span>
        ${may("engineer") && html`<button type="button" aria-pressed=${chosen ? "false" : "true"} onClick=${() => go("rules")}>${t("backtest.title")}</button>
          <button type="button" onClick=${() => setAdding(true)}>${t("rules.new")}</button>`}</header>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="rules-title">
        ${answer === null ? html`<p class="empty muted">${t("loading")}</p>` : html`<h2 class="cards-title">${t("rules.own")}</h2>
          ${own.length ? html`<ul class="cards">${own.map((pack) => html`<${Card} key=${pack.name} pack=${pack} chosen=${pack.name === chosen} />`)}</ul>` : html`<p class="hint">${t("rules.none")}</p>`}
          <h2 class="cards-title">${t("rules.shipped")}</h2>
          <ul class="cards">${packs.filter((pack) => pack.shipped).map((pack) => html`<${Card} key=${pack.name} pack=${pack} chosen=${pack.name === chosen} />`)}</ul>`}
      </div>
    </section>
    <aside class="panel detail" tabindex="-1" aria-label=${t(chosen ? "rules.pack" : "backtest.title")}>${chosen
      ? html`<${Pack} key=${chosen} name=${chosen} info=${known ?? null} onChange=${again} />`
      : html`<${Unchosen} />`}</aside>
    ${adding && html`<${Add} onClose=${() => setAdding(false)} />`}
  </div>`;
}

/** While no pack is chosen: what rules would have said of a time that is over. */
function Unchosen() {
  return html`<header class="panel-head"><h2>${t("backtest.title")}</h2></header>
    ${may("engineer") ? html`<${Backtest} />` : html`<p class="empty muted">${t("backtest.forbidden")}</p>`}`;
}

/** @param {{pack: PackInfo, chosen: boolean}} props */
function Card({ pack, chosen }) {
  const mark = pack.waiting ? t(`rules.state.${pack.waiting.state}`) : pack.refused ? t("rules.state.refused") : pack.deleted ? t("rules.deleted") : "";
  return html`<li><a class=${classes("card", chosen && "chosen", pack.deleted && "past")} aria-current=${chosen ? "true" : undefined} href=${`#/rules/${encodeURIComponent(pack.name)}`}>
    <span class="card-title">${pack.shipped ? pack.name.replace("shipped.", "") : pack.name}</span>
    <span class="card-foot"><span class="muted">${t("rules.count", { n: pack.rules })}${pack.shipped ? "" : ` · ${t("rules.version", { n: pack.version })} · ${bare(pack.author ?? "")}`}</span><span class="spacer"></span>
      ${mark && html`<span class=${classes("tag", !pack.deleted && "warn")}>${mark}</span>`}</span></a></li>`;
}

/** The name of a new pack. @param {{onClose: () => void}} props */
function Add({ onClose }) {
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    onClose();
    go("rules", String(form.get("name")).trim());
  };
  return html`<${Dialog} title=${t("rules.new")} onClose=${onClose}><form onSubmit=${send}>
    <label class="field">${t("rules.name")}<input name="name" required autofocus maxlength="60" pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*" autocomplete="off" /></label><p class="hint">${t("rules.name_hint")}</p>
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("rules.new")}</button></div></form></${Dialog}>`;
}
