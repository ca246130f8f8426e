/** The control room: signs in, opens the live link, and shows the screen the operator is on. */
import { classes, effect, html, render } from "./html.js";
import { loadSession, session } from "./api.js";
import { ActionDialogs } from "./detail/actions.js";
import { CommandDialog } from "./devices/command.js";
import { Duty } from "./duty/duty.js";
import { Commands } from "./devices/commands.js";
import { Devices } from "./devices/devices.js";
import { Help, helping } from "./frame/help.js";
import { Nav, TopBar } from "./frame/frame.js";
import { Strips } from "./frame/strips.js";
import { Health } from "./health/health.js";
import { loadTexts, t } from "./i18n.js";
import { useKeys } from "./keys.js";
import { fetchAgain, loadPatiently } from "./live/load.js";
import { counters, pressing } from "./live/store.js";
import { link, startStream } from "./live/stream.js";
import { Notices, tell } from "./notices.js";
import { Orders } from "./orders/orders.js";
import { Passes } from "./passes/passes.js";
import { Plans } from "./plans/plans.js";
import { Queue } from "./queue/queue.js";
import { Reports } from "./reports/reports.js";
import { route } from "./route.js";
import { Rules } from "./rules/rules.js";
import { PasswordDialog } from "./session/password.js";
import { SignIn, Waiting } from "./session/sign_in.js";
import { TakeOver } from "./session/take_over.js";
import { Schedules } from "./schedules/schedules.js";
import { silence, watchForSounds } from "./sound.js";

const MANY = 5;
const SCREEN = { alerts: Queue, devices: Devices, orders: Orders, schedules: Schedules, duty: Duty, plans: Plans, passes: Passes, commands: Commands, rules: Rules, reports: Reports, health: Health };

function Room() {
  useKeys({ s: silence, "?": () => { helping.value = true; } });
  const Screen = SCREEN[route.value.screen];
  return html`<div class=${classes("room", link.value === "stale" && "is-stale")}>
    <a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    <${TopBar} /><${Strips} /><${Nav} />
    <main id="main" tabindex="-1"><${Screen} key=${route.value.screen} /></main>
    <${Notices} /><${ActionDialogs} /><${CommandDialog} /><${Help} /><${PasswordDialog} /><${TakeOver} />
  </div>`;
}

/** Moves the focus without touching the address, which is the route. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function App() {
  if (session.value === undefined) return html`<${Waiting} />`;
  return session.value ? html`<${Room} />` : html`<${SignIn} />`;
}

/** The tab's title carries the count, for a console behind other windows. */
function nameTab() {
  const waiting = Object.values(counters.value.levels).reduce((sum, level) => sum + level.unacknowledged, 0);
  const mark = link.value === "stale" ? "⚠ " : pressing.value.length ? "● " : "";
  document.title = `${mark}${waiting ? `(${waiting}) ` : ""}Gatehouse`;
}

/** A browser keeps six connections to one address for all its tabs, and each console holds one open. */
async function countConsoles() {
  if (!navigator.locks) return;
  navigator.locks.request("gatehouse.console", { mode: "shared" }, () => new Promise(() => undefined)).catch(() => undefined);
  const { held = [] } = await navigator.locks.query();
  if (held.filter((lock) => lock.name === "gatehouse.console").length >= MANY) tell(t("tabs.many"));
}

async function start() {
  const room = document.getElementById("room");
  if (!room) return;
  await loadTexts();
  effect(nameTab);
  watchForSounds();
  countConsoles();
  room.replaceChildren();
  render(html`<${App} />`, room);
  effect(() => {
    if (session.value) {
      startStream({ loadAll: loadPatiently, resynced: () => tell(t("stream.resynced")), fetchAgain });
    }
  });
  while (session.peek() === undefined) {
    await loadSession().catch(() => new Promise((go) => setTimeout(go, 2000)));
  }
}

start();
