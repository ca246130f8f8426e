/** Fills the store from the REST API: alerts first, then what they refer to. */
import { ApiError, get, pages } from "../api.js";
import { signal } from "../html.js";
import { alerts, commands, devices, kinds, orders, passes, plans, runs, sites, zones } from "./store.js";

/**
 * @template {{id: string, version?: number}} T
 * @param {import("./store.js").Table<T>} table
 * @param {string} path
 */
async function fill(table, path) {
  await pages(path, (/** @type {T[]} */ items) => table.putAll(items));
  table.loaded.value = true;
}

/** Like `fill`, for what one role may not see or an older gateway lacks. @type {typeof fill} */
async function fillIfThere(table, path) {
  try {
    await fill(table, path);
  } catch {
    table.loaded.value = true;
  }
}

async function loadCatalogue() {
  const body = await get("/catalogue");
  const found = body.items ?? body.kinds ?? body;
  const list = Array.isArray(found) ? found : Object.entries(found).map(([name, kind]) => ({ ...kind, name }));
  kinds.value = new Map(list.map((/** @type {import("../types.js").Kind} */ kind) => [kind.name, kind]));
}

/** Loads everything the screens need. Alerts that closed while the link was away are found out and fetched again. */
export async function loadAll() {
  const openBefore = new Set([...alerts.items.values()].filter((a) => a.state !== "closed").map((a) => a.id));
  await Promise.all([
    pages("/alerts?state=open&limit=500", (/** @type {import("../types.js").Alert[]} */ items) => {
      for (const item of items) openBefore.delete(item.id);
      alerts.putAll(items);
    }),
    fillIfThere(zones, "/zones?limit=500"),
    fillIfThere(sites, "/sites?limit=500"),
    loadCatalogue().catch(() => undefined),
  ]);
  for (const id of openBefore) get(`/alerts/${encodeURIComponent(id)}`).then((a) => alerts.put(a), () => alerts.remove(id));
  alerts.loaded.value = true;
  await Promise.all([
    fillIfThere(runs, "/plan-runs?limit=200"),
    unfinishedOrders(),
    fillIfThere(plans, "/plans?limit=200"),
    recentAlerts(),
  ]);
  await fillIfThere(devices, "/devices?limit=500");
  await fillIfThere(commands, "/commands?state=open&limit=200");
  await fillIfThere(passes, "/passes?limit=500");
}

/** How many closed orders a step back shows, and of how many open alerts the closed order is fetched for the queue. */
const CLOSED_STEP = 200, MOST_MISSING = 100;

/** Where the next older closed orders begin: "" before the first, null when there are no more. */
export const closedFrom = signal(/** @type {string|null} */ (""));

/** A year has tens of thousands of orders: all that are not closed, those drawn for a visit, and those of open alerts. */
async function unfinishedOrders() {
  await Promise.all([
    fillIfThere(orders, "/work-orders?state=unfinished&limit=500"),
    fillIfThere(orders, "/work-orders?visit_due=true&limit=500"),
  ]);
  const missing = [...alerts.items.values()].filter((alert) => alert.state !== "closed" && alert.work_order && !orders.items.has(alert.work_order));
  for (const alert of missing.slice(0, MOST_MISSING)) fetchAgain("work_order", String(alert.work_order));
}

/** The next older closed orders. */
export async function olderOrders() {
  const from = closedFrom.value;
  if (from === null) return;
  const page = await get(`/work-orders?state=closed&limit=${CLOSED_STEP}${from && `&cursor=${encodeURIComponent(from)}`}`);
  orders.putAll(page.items ?? []);
  closedFrom.value = page.next ?? null;
}

/** The newest alerts of any state: for the All tab, and to say since when it has been quiet. */
export async function recentAlerts() {
  const page = await get("/alerts?state=all&limit=100").catch(() => ({ items: [] }));
  alerts.putAll(page.items ?? []);
}

const ONE = /** @type {Record<string, [import("./store.js").Table<any>, string]>} */ ({
  alert: [alerts, "/alerts"],
  work_order: [orders, "/work-orders"],
  plan_run: [runs, "/plan-runs"],
  command: [commands, "/commands"],
  pass: [passes, "/passes"],
  device: [devices, "/devices"],
});

/** Fetches one thing that changed; one that is no more is forgotten. @param {string} kind @param {string} ref */
export async function fetchAgain(kind, ref) {
  const [table, path] = ONE[kind] ?? [];
  if (!table || !ref) return;
  try {
    table.put(await get(`${path}/${encodeURIComponent(ref)}`));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) table.remove(ref);
  }
}

/** Keeps trying until the first load has come through. */
export async function loadPatiently() {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 15000)) {
    try {
      await loadAll();
      return;
    } catch {
      await new Promise((go) => setTimeout(go, wait));
    }
  }
}
