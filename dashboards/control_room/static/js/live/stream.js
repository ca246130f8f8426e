/**
 * The live link: one EventSource on the gateway's stream. Events go into the store; heartbeats prove that the link
 * lives. A link that is silent for ten seconds is called stale, whatever the browser believes, and is opened anew from
 * the last id received, so nothing is missed and nothing comes twice.
 */
import { computed, signal } from "../html.js";
import { loadSession } from "../api.js";
import { ms } from "../format.js";
import { setServerTime, tick } from "./clock.js";
import { addDecision, alerts, commands, devices, listsChanged, mergeStates, orders, packsChanged, passes, runs, trimClosed } from "./store.js";

const STALE_MS = 10_000;
const LOST_MS = 3_000;

/** When the last sign of life came, on the browser's steady counter; NaN before the first. */
const beat = signal(NaN);
const open = signal(false);
/** The version the gateway said it runs. */
export const serverVersion = signal("");
/** How often the link was resumed, and how often everything had to be loaded again. */
export const linkStory = signal({ resumed: 0, resynced: 0 });

/** Milliseconds since the last sign of life. */
export const silence = computed(() => {
  void tick.value;
  return performance.now() - beat.value;
});

/** `connecting` until the first heartbeat, then `live` or `stale`. */
export const link = computed(() => {
  const quiet = silence.value;
  if (Number.isNaN(quiet)) return "connecting";
  return quiet > STALE_MS || (!open.value && quiet > LOST_MS) ? "stale" : "live";
});

/**
 * @typedef {object} Hooks
 * @property {() => Promise<void>} loadAll                     loads every list
 * @property {() => void} resynced                             tells the operator that it had to
 * @property {(kind: string, ref: string) => void} fetchAgain  fetches one thing of which only the name was told
 */

/** @type {EventSource|null} */
let source = null;
/** @type {Hooks|null} */
let hooks = null;
let lastId = "";
let openedAt = 0;
let attempts = 0;
let retry = 0;

/** Starts the link; `hooks` load the lists at first and after a resync. @param {Hooks} given */
export function startStream(given) {
  if (hooks) return;
  hooks = given;
  connect();
  setInterval(watch, 1000);
}

/** Ends the link, for signing out. */
export function stopStream() {
  source?.close();
  source = null;
  hooks = null;
  lastId = "";
  clearTimeout(retry);
}

/** Reopens a link that has gone silent: an EventSource cannot see a dead connection that stays open. */
function watch() {
  const quiet = performance.now() - Math.max(beat.peek() || 0, openedAt);
  if (hooks && source && quiet > STALE_MS) reconnect();
}

function reconnect() {
  open.value = false;
  source?.close();
  source = null;
  clearTimeout(retry);
  const wait = Math.min(5000, 1000 * 1.5 ** Math.min(attempts, 4)) * (0.75 + Math.random() / 2);
  retry = window.setTimeout(connect, attempts === 0 ? 0 : wait);
  attempts += 1;
}

function connect() {
  if (!hooks) return;
  openedAt = performance.now();
  const from = lastId ? `?last_event_id=${encodeURIComponent(lastId)}` : "";
  const mine = (source = new EventSource(`./api/v1/stream${from}`));
  mine.onerror = () => {
    if (mine !== source) return;
    attempts = Math.max(attempts, 1);
    reconnect();
    loadSession().catch(() => undefined);
  };
  const names = ["hello", "heartbeat", "resync", ...Object.keys(TAKERS)];
  for (const name of names) {
    mine.addEventListener(name, (event) => {
      if (mine === source) take(name, /** @type {MessageEvent} */ (event));
    });
  }
}

/**
 * @param {string} name
 * @param {MessageEvent} event
 */
function take(name, event) {
  const data = JSON.parse(event.data);
  beat.value = performance.now();
  open.value = true;
  const first = lastId === "";
  if (event.lastEventId) lastId = event.lastEventId;
  if (name === "hello") hello(data, first);
  else if (name === "heartbeat") setServerTime(ms(data.server_time));
  else if (name === "resync") resync(data);
  else if (data.body) TAKERS[name]?.(data.body, data.ref);
  else hooks?.fetchAgain(name, data.ref);
}

/**
 * @param {{server_time: string, last_id: number|string, version: string}} data
 * @param {boolean} first  whether this page has heard nothing before
 */
function hello(data, first) {
  setServerTime(ms(data.server_time));
  serverVersion.value = data.version ?? "";
  attempts = 0;
  if (first) {
    if (!lastId) lastId = String(data.last_id ?? "");
    hooks?.loadAll();
  } else linkStory.value = { ...linkStory.peek(), resumed: linkStory.peek().resumed + 1 };
}

/** @param {{last_id?: number|string}} data */
function resync(data) {
  if (data.last_id !== undefined) lastId = String(data.last_id);
  linkStory.value = { ...linkStory.peek(), resynced: linkStory.peek().resynced + 1 };
  hooks?.loadAll().then(() => hooks?.resynced());
}

/** What to do with each event: all of them carry the record as the REST API shows it. */
const TAKERS = /** @type {Record<string, (body: any, ref: string) => void>} */ ({
  alert: (body) => {
    alerts.put(body);
    if (body.state === "closed") trimClosed();
  },
  work_order: (body) => orders.put(body),
  plan_run: (body) => runs.put(body),
  command: (body) => commands.put(body),
  pass: (body) => passes.put(body),
  device: (body) => devices.put({ ...devices.items.get(body.id), ...body }),
  states: (body) => mergeStates(body.devices ?? {}),
  decision: (body) => addDecision(body),
  device_list: () => {
    listsChanged.value += 1;
  },
  rules: () => {
    packsChanged.value += 1;
  },
});
