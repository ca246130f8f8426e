/** The chips and the search box above the queue. */
import { html } from "../html.js";
import { t } from "../i18n.js";
import { SEVERITIES } from "../live/store.js";
import { Icon, Shape } from "../widgets/icon.js";
import { levels, onlyUnacknowledged, search } from "./list.js";

/** @param {{box: object}} props  box: where to keep the search field for the / key */
export function Filters({ box }) {
  const toggle = (/** @type {string} */ level) => {
    const next = new Set(levels.value);
    if (!next.delete(level)) next.add(level);
    levels.value = next;
  };
  return html`<div class="filters">
    <${SearchBox} box=${box} value=${search} label=${t("queue.search")} />
    <div class="chips" role="group" aria-label=${t("queue.filters")}>
      ${SEVERITIES.map((level) => html`<button key=${level} type="button" class="chip" aria-pressed=${levels.value.has(level) ? "true" : "false"} onClick=${() => toggle(level)}>
        <${Shape} level=${level} />${t(`severity.${level}`)}</button>`)}
      <button type="button" class="chip" aria-pressed=${onlyUnacknowledged.value ? "true" : "false"}
        onClick=${() => { onlyUnacknowledged.value = !onlyUnacknowledged.value; }}>${t("queue.only_unacknowledged")}</button>
    </div>
  </div>`;
}

/**
 * A search field bound to a signal.
 * @param {{value: import("@preact/signals").Signal<string>, label: string, box?: object}} props
 */
export function SearchBox({ value, label, box }) {
  return html`<label class="search"><${Icon} name="search" /><span class="visually-hidden">${label}</span>
    <input ref=${box} type="search" placeholder=${label} value=${value.value} autocomplete="off" spellcheck=${false}
      onInput=${(/** @type {{currentTarget: HTMLInputElement}} */ event) => { value.value = event.currentTarget.value; }} /></label>`;
}
