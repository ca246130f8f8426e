/** Which alerts the queue shows, in which order: the level first, then the oldest. */
import { computed, signal } from "../html.js";
import { alerts, isOut, isShelved, SEVERITIES } from "../live/store.js";
import { placeOf } from "../place.js";
import { route } from "../route.js";
import { found } from "../search.js";

/** @typedef {import("../types.js").Alert} Alert */

export const TABS = /** @type {const} */ (["active", "returned", "shelved", "out_of_service", "all"]);

export const tab = signal(/** @type {typeof TABS[number]} */ ("active"));
export const search = signal("");
/** Levels to show; none chosen shows all. */
export const levels = signal(/** @type {ReadonlySet<string>} */ (new Set()));
export const onlyUnacknowledged = signal(false);

/**
 * What came and went before anybody saw it still needs a person: it stays in the home list until it is acknowledged.
 * @type {Record<typeof TABS[number], (alert: Alert) => boolean>}
 */
const BELONGS = {
  active: (alert) => !isShelved(alert) && alert.state !== "closed",
  returned: (alert) => !isShelved(alert) && alert.state === "returned",
  shelved: (alert) => isShelved(alert) && !isOut(alert),
  out_of_service: isOut,
  all: () => true,
};

/** How many alerts each tab holds. */
export const tabCounts = computed(() => {
  const counts = { active: 0, returned: 0, shelved: 0, out_of_service: 0, all: 0 };
  for (const alert of alerts.all()) {
    for (const name of TABS) if (name !== "all" && BELONGS[name](alert) && !folded(alert)) counts[name] += 1;
  }
  return counts;
});

const rank = Object.fromEntries(SEVERITIES.map((level, index) => [level, index]));

/** A symptom under a cause that is shown in its stead. @param {Alert} alert */
const folded = (alert) => alert.parent != null && alerts.items.has(alert.parent);

/** @param {Alert} alert @param {string} text */
function matches(alert, text) {
  return found(text, [alert.id, alert.device, alert.rule, ...placeOf(alert), ...Object.values(alert.title ?? {})]);
}

/**
 * The rows. The alert that is chosen stays among them even when it no longer belongs to the tab, so that no other
 * slips under the hand.
 */
export const rows = computed(() => {
  const text = search.value.trim();
  const chosen = route.value.screen === "alerts" ? route.value.id : "";
  const list = alerts.all().filter((alert) => {
    if (alert.id === chosen && !text) return !["shelved", "out_of_service"].includes(tab.value) || isShelved(alert);
    if (!BELONGS[tab.value](alert) || (folded(alert) && !text)) return false;
    if (levels.value.size && !levels.value.has(alert.severity)) return false;
    if (onlyUnacknowledged.value && alert.state === "acknowledged") return false;
    return !text || matches(alert, text);
  });
  if (tab.value === "all") return list.sort((a, b) => String(b.raised_at).localeCompare(String(a.raised_at)));
  return list.sort(
    (a, b) => rank[a.severity] - rank[b.severity] || String(a.raised_at).localeCompare(String(b.raised_at)),
  );
});

/** When the last alert came or went, for "all quiet since": RFC 3339 text or "". */
export const lastTrouble = computed(() => {
  let latest = "";
  for (const alert of alerts.all()) {
    for (const at of [alert.closed_at, alert.returned_at, alert.raised_at]) if (at && String(at) > latest) latest = String(at);
  }
  return latest;
});
