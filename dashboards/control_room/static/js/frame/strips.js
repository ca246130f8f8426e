/** What pushes the page aside: a link that is not live, the oldest critical alert, a flood, a page without sound. */
import { computed, html } from "../html.js";
import { since, span, ms } from "../format.js";
import { waiting } from "../devices/commands.js";
import { t, word } from "../i18n.js";
import { now, tick } from "../live/clock.js";
import { alerts, pressing } from "../live/store.js";
import { link, silence } from "../live/stream.js";
import { acknowledge } from "../detail/actions.js";
import { may } from "../api.js";
import { deviceName, placeOf, titleOf } from "../place.js";
import { href } from "../route.js";
import { takenOver } from "../session/take_over.js";
import { bare } from "../words.js";
import { audible, silenced, silence as silenceSound, startSound } from "../sound.js";
import { Icon, Level } from "../widgets/icon.js";

/** ISA-18.2: a flood begins above ten in ten minutes, and ends below five. */
const FLOOD_BEGINS = 10;
const FLOOD_ENDS = 5;
const FLOOD_MS = 600_000;

/** Alerts raised in the last ten minutes that were not folded under another. */
const recent = computed(() => {
  const from = now() - FLOOD_MS;
  return alerts.all().filter((alert) => !alert.parent && ms(alert.raised_at) > from).length;
});

let flooding = false;
const flood = computed(() => {
  flooding = flooding ? recent.value >= FLOOD_ENDS : recent.value > FLOOD_BEGINS;
  return flooding;
});

/** All the strips, the worst first. */
export function Strips() {
  return html`<div class="strips"><${Stale} /><${Critical} /><${Second} /><${Flood} /><${NoSound} /></div>`;
}

/** Nothing on this page is live: said across its whole width. */
function Stale() {
  const stale = link.value === "stale";
  return html`<div role="alert">${stale && html`<div class="strip stale"><${Icon} name="cut" /><strong>${t("stale.title")}</strong><span>${t("stale.text")}</span><span class="spacer"></span><span class="number">${t("stale.since", { span: span(silence.value / 1000) })}</span></div>`}</div>`;
}

/** The oldest critical alert that nobody acknowledged. */
function Critical() {
  const [oldest] = pressing.value;
  void tick.value;
  return html`<div role="alert">${oldest && html`<div key=${oldest.id} class="strip critical"><${Level} level="critical" urgent=${true} />
    <a class="strip-text" href=${href("alerts", oldest.id)}><strong>${titleOf(oldest)}</strong><span class="strip-place">${placeOf(oldest).join(" › ")}</span></a>
    <span class="number" aria-hidden="true">${since(oldest.raised_at)}</span>${pressing.value.length > 1 && html`<span class="more">${t("strip.more", { n: pressing.value.length - 1 })}</span>`}<span class="spacer"></span>
    ${audible.value && !silenced.value.has(oldest.id) && html`<button type="button" onClick=${silenceSound}>${t("sound.silence")}<kbd>S</kbd></button>`}
    ${may("operator") && html`<button type="button" onClick=${() => acknowledge(oldest)}>${t("act.acknowledge")}</button>`}</div>`}</div>`;
}

/** A command waits a minute for a second person: whoever may be one is told. */
function Second() {
  const [first] = waiting();
  return html`<div role="status">${first && may("operator") && html`<div class="strip flood"><${Icon} name="commands" /><a class="strip-text" href=${href("commands")}><strong>${t("commands.second")}</strong>
    <span>${word("command", first.name)} · ${deviceName(first.device)} · ${bare(first.by)}</span></a></div>`}</div>`;
}

function Flood() {
  return html`<div role="status">${flood.value && html`<div class="strip flood"><${Icon} name="warning" /><strong>${t("flood.title", { n: recent.value })}</strong><span>${t("flood.text")}</span></div>`}</div>`;
}

/** As long as an alert could not be heard, the page says so. */
function NoSound() {
  return html`<div role="status">${takenOver.value && !audible.value && html`<div class="strip silent"><${Icon} name="mute" /><strong>${t("sound.off_title")}</strong><span>${t("sound.off_text")}</span><span class="spacer"></span><button type="button" onClick=${startSound}>${t("sound.start")}</button></div>`}</div>`;
}
