/** What an alert explains: folded under it, unfolded on demand, a page at a time. */
import { html, useEffect, useState } from "../html.js";
import { get } from "../api.js";
import { since } from "../format.js";
import { say, t } from "../i18n.js";
import { href } from "../route.js";
import { Level } from "../widgets/icon.js";

/** @typedef {import("../types.js").Child} Child */

const PAGE = 100;

/** @param {{alert: import("../types.js").Alert}} props */
export function Symptoms({ alert }) {
  const [open, setOpen] = useState(false);
  const [seen, setSeen] = useState(PAGE);
  const [found, setFound] = useState(/** @type {Child[]} */ ([]));
  const count = alert.children;
  useEffect(() => {
    if (!open || !count) return undefined;
    let current = true;
    const path = `/alerts/${encodeURIComponent(alert.id)}/children?limit=${Math.min(1000, seen)}`;
    get(path).then((page) => current && setFound(page.items ?? []), () => undefined);
    return () => {
      current = false;
    };
  }, [alert.id, count, open, seen]);
  if (!count) return null;
  const shown = found.length ? found : alert.symptoms ?? [];
  return html`<section class="symptoms"><h3>${t("symptoms.title")}<span class="count">${count}</span>
      <button type="button" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>${t(open ? "symptoms.fold" : "symptoms.unfold")}</button></h3>
    <p class="muted">${t("symptoms.text")}</p>
    ${open && html`<ul class="plain">${shown.map((child) => html`<li key=${child.id}><${Line} child=${child} /></li>`)}</ul>`}
    ${open && shown.length < count && seen < 1000 && html`<button type="button" onClick=${() => setSeen(seen + PAGE * 3)}>${t("symptoms.more", { n: count - shown.length })}</button>`}</section>`;
}

/** One of them; one that was an alert before leads there. @param {{child: Child}} props */
function Line({ child }) {
  const text = html`<${Level} level=${child.severity} /><span class="grow">${say(child.title, child.rule)}</span>
    ${child.count > 1 && html`<span class="number">×${child.count}</span>`}<span class="muted">${since(child.came_at)}</span>`;
  return child.folded ? html`<a class="line" href=${href("alerts", child.folded)}>${text}</a>` : html`<span class="line">${text}</span>`;
}
