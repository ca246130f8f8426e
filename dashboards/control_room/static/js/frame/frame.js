/** What is on every screen: the link and its age, the counters, the sound, the operator, the server's clock. */
import { classes, html, useEffect, useRef, useState } from "../html.js";
import { session, signOut } from "../api.js";
import { waiting } from "../devices/commands.js";
import { clock, day, number } from "../format.js";
import { say, t } from "../i18n.js";
import { now, tick } from "../live/clock.js";
import { counters, orders, runs, SEVERITIES, sites } from "../live/store.js";
import { link, silence, stopStream } from "../live/stream.js";
import { attempt } from "../notices.js";
import { promise } from "../orders/promise.js";
import { levels, tab } from "../queue/list.js";
import { go, href, route, SCREENS } from "../route.js";
import { changing } from "../session/password.js";
import { Mark } from "../session/sign_in.js";
import { audible, sounding, silence as silenceSound, startSound } from "../sound.js";
import { Icon, Shape } from "../widgets/icon.js";
import { helping } from "./help.js";
import { LanguageSwitch, Switches } from "./switches.js";

/** The bar at the top. */
export function TopBar() {
  const site = sites.all();
  return html`<header class="topbar">
    <a class="brand" href="#/alerts"><${Mark} /><span class="brand-name">Gatehouse</span>${site.length === 1 && html`<span class="site">${say(site[0].name, site[0].id)}</span>`}</a>
    <${LinkState} /><${Counters} /><span class="spacer"></span>
    <${SoundState} /><${LanguageSwitch} />
    <button type="button" class="icon-button" aria-label=${t("help.title")} title=${`${t("help.title")} (?)`} onClick=${() => { helping.value = true; }}><${Icon} name="help" /></button>
    <${Operator} /><${ServerClock} />
  </header>`;
}

/** Live with its age, or not. */
function LinkState() {
  const state = link.value;
  const seconds = silence.value / 1000;
  return html`<span class=${`link-state ${state}`}><${Icon} name=${state === "stale" ? "cut" : "link"} /><span>${t(`link.${state}`)}</span>
    ${!Number.isNaN(seconds) && html`<span class="link-age">${t("span.s", { s: seconds < 10 ? number(seconds, 1, 1) : number(seconds, 0) })}</span>`}</span>`;
}

/** Per level: not acknowledged / open; and how many are shelved and out of service. */
function Counters() {
  const { levels: counts, shelved, out } = counters.value;
  const show = (/** @type {string} */ level) => {
    tab.value = "active";
    levels.value = new Set([level]);
    go("alerts");
  };
  return html`<div class="counters" role="group" aria-label=${t("counter.title")}>${SEVERITIES.map((level) => {
    const { unacknowledged, open } = counts[level];
    return html`<button key=${level} type="button" class=${classes("counter", level, !open && !unacknowledged && "zero", unacknowledged > 0 && "unseen")} onClick=${() => show(level)}
      title=${t("counter.level", { level: t(`severity.${level}`), n: unacknowledged, all: open })}>
      <${Shape} level=${level} /><span class="visually-hidden">${t("counter.level", { level: t(`severity.${level}`), n: unacknowledged, all: open })}</span><span aria-hidden="true"><b>${unacknowledged}</b><i>/${open}</i></span></button>`;
  })}<button type="button" class=${classes("counter shelved", !shelved && "zero")} onClick=${() => { tab.value = "shelved"; go("alerts"); }}><span>${t("counter.shelved")}</span><b>${shelved}</b></button>${out > 0 && html`<button type="button" class="counter shelved" onClick=${() => { tab.value = "out_of_service"; go("alerts"); }}><span>${t("counter.out_of_service")}</span><b>${out}</b></button>`}</div>`;
}

function SoundState() {
  const on = audible.value;
  const loud = sounding.value.length > 0;
  const act = () => (on && loud ? silenceSound() : startSound());
  return html`<button type="button" class=${classes("sound-state", !on && "off", loud && "sounding")} onClick=${act} title=${!on ? t("sound.start") : loud ? `${t("sound.silence")} (S)` : t("sound.test")}>
    <${Icon} name=${on ? "sound" : "mute"} /><span>${on ? t("sound.on") : t("sound.off")}</span></button>`;
}

/** Who is signed in, and this console's settings. */
function Operator() {
  const [open, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => {
    if (!open) return undefined;
    const away = (/** @type {Event} */ event) => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !box.current?.contains(/** @type {any} */ (event.target))) setOpen(false);
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", away);
    };
  }, [open]);
  const leave = () => attempt(async () => {
    await signOut();
    stopStream();
    location.reload();
  });
  return html`<div class="operator" ref=${box}><button type="button" class="operator-button" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>
      <${Icon} name="person" /><span>${session.value?.name}</span><span class="muted role">${t(`role.${session.value?.role ?? "viewer"}`)}</span></button>
    ${open && html`<div class="menu"><${Switches} /><button type="button" onClick=${() => { changing.value = true; setOpen(false); }}>${t("password.title")}</button><button type="button" onClick=${leave}>${t("signout")}</button></div>`}</div>`;
}

function ServerClock() {
  const at = now();
  return html`<time class="server-clock" title=${t("clock.title")}><span class="date">${day(at)}</span><span class="time">${clock(at)}</span></time>`;
}

/** The screens, down the left side. */
export function Nav() {
  void tick.value;
  const badges = /** @type {Record<string, number>} */ ({
    orders: orders.all().filter((order) => promise(order)?.late).length,
    plans: runs.all().filter((run) => run.state === "running").length,
    commands: waiting().length,
  });
  return html`<nav class="rail" aria-label=${t("nav.title")}>${SCREENS.map((name) => html`<a key=${name} href=${href(name)} aria-current=${route.value.screen === name ? "page" : undefined}>
    <${Icon} name=${name} /><span>${t(`nav.${name}`)}</span>${badges[name] > 0 && html`<span class="badge">${badges[name]}</span>`}</a>`)}</nav>`;
}
