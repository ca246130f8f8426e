/** Everything the page knows of the gateway, by kind and id. The server is the truth: records only ever get newer. */
import { computed, signal } from "../html.js";

/** @typedef {import("../types.js").Alert} Alert */
/** @typedef {import("../types.js").Device} Device */

const QUIET_MS = 100;

/**
 * Records of one kind by id. `rev` changes at most ten times a second, however fast records come.
 * @template {{id: string, version?: number}} T
 */
export class Table {
  constructor() {
    /** @type {Map<string, T>} */
    this.items = new Map();
    this.rev = signal(0);
    this.loaded = signal(false);
    this.due = 0;
    this.last = 0;
  }

  /** Takes `record` unless a newer version is already here; says whether it was taken. @param {T} record */
  put(record) {
    const known = this.items.get(record.id);
    if (known && (known.version ?? 0) > (record.version ?? 0)) return false;
    this.items.set(record.id, record);
    this.touch();
    return true;
  }

  /** @param {T[]} records */
  putAll(records) {
    for (const record of records) this.put(record);
  }

  /** @param {string} id */
  remove(id) {
    if (this.items.delete(id)) this.touch();
  }

  /** The record, subscribing to changes. @param {string|null|undefined} id @returns {T|undefined} */
  get(id) {
    void this.rev.value;
    return id ? this.items.get(id) : undefined;
  }

  /** All records, subscribing to changes. @returns {T[]} */
  all() {
    void this.rev.value;
    return [...this.items.values()];
  }

  /** Announces a change, now or at the end of the quiet time. */
  touch() {
    if (this.due) return;
    const wait = Math.max(0, this.last + QUIET_MS - performance.now());
    this.due = window.setTimeout(() => {
      this.due = 0;
      this.last = performance.now();
      this.rev.value += 1;
    }, wait);
  }
}

/** @type {Table<Alert>} */
export const alerts = new Table();
/** @type {Table<Device>} */
export const devices = new Table();
/** @type {Table<import("../types.js").WorkOrder>} */
export const orders = new Table();
/** @type {Table<import("../types.js").PlanRun>} */
export const runs = new Table();
/** @type {Table<import("../types.js").Command>} */
export const commands = new Table();
/** @type {Table<import("../types.js").Pass>} */
export const passes = new Table();
/** @type {Table<import("../types.js").Zone>} */
export const zones = new Table();
/** @type {Table<import("../types.js").Site>} */
export const sites = new Table();
/** @type {Table<import("../types.js").Plan>} */
export const plans = new Table();

/** The catalogue of kinds by name. */
export const kinds = signal(/** @type {Map<string, import("../types.js").Kind>} */ (new Map()));
/** The newest decisions at doors and barriers, newest first. */
export const decisions = signal(/** @type {Record<string, any>[]} */ ([]));

/** Takes a decision the stream told. @param {Record<string, any>} decision */
export function addDecision(decision) {
  decisions.value = [decision, ...decisions.peek()].slice(0, 200);
}

/** Counts what was told of lists at devices, so that who shows them asks anew. */
export const listsChanged = signal(0);

const KEEP_CLOSED = 500;

/** Forgets the oldest closed alerts, so that a console that runs for weeks does not grow. */
export function trimClosed() {
  const closed = [...alerts.items.values()].filter((alert) => alert.state === "closed");
  if (closed.length <= KEEP_CLOSED * 1.2) return;
  closed.sort((a, b) => String(a.closed_at).localeCompare(String(b.closed_at)));
  for (const alert of closed.slice(0, closed.length - KEEP_CLOSED)) alerts.remove(alert.id);
}

/**
 * Merges what the stream says of devices: who is online, when last heard, the newest value of each kind.
 * @param {Record<string, {online?: boolean|null, last_at?: import("../types.js").Time, kinds?: Record<string, any>}>} news
 */
export function mergeStates(news) {
  for (const [id, state] of Object.entries(news)) {
    const device = devices.items.get(id);
    if (!device) continue;
    devices.items.set(id, {
      ...device,
      online: state.online === undefined ? device.online : state.online,
      last_at: state.last_at ?? device.last_at,
      state: { ...device.state, ...state.kinds },
    });
  }
  devices.touch();
}

/** Put aside: by a person, by design, or out of service. @param {Alert} alert */
export const isShelved = (alert) => alert.shelving != null && alert.state !== "closed";

/** @param {Alert} alert */
export const isOut = (alert) => isShelved(alert) && alert.shelving?.kind === "out_of_service";

/** Whether a person must still look at it: open, not acknowledged, not put aside, not folded. @param {Alert} alert */
export const needsEyes = (alert) =>
  (alert.state === "unacknowledged" || alert.state === "returned") && !isShelved(alert) && !alert.parent;

export const SEVERITIES = /** @type {const} */ (["critical", "high", "medium", "low"]);

/** The counters of the frame: per level how many unacknowledged and how many open, and how many are shelved and out of service. */
export const counters = computed(() => {
  const levels = Object.fromEntries(SEVERITIES.map((level) => [level, { unacknowledged: 0, open: 0 }]));
  let shelved = 0;
  let out = 0;
  for (const alert of alerts.all()) {
    if (alert.state === "closed") continue;
    if (isShelved(alert)) {
      if (isOut(alert)) out += 1;
      else shelved += 1;
      continue;
    }
    const level = levels[alert.severity];
    if (!level || alert.parent) continue;
    level.open += 1;
    if (needsEyes(alert)) level.unacknowledged += 1;
  }
  return { levels, shelved, out };
});

/** Critical alerts nobody has acknowledged, oldest first. */
export const pressing = computed(() =>
  alerts
    .all()
    .filter((alert) => alert.severity === "critical" && needsEyes(alert))
    .sort((a, b) => String(a.raised_at).localeCompare(String(b.raised_at))),
);

/** Goes up with each change of the rules that the stream tells. */
export const packsChanged = signal(0);
