/** Where the operator is: `#/alerts/AL-1` is the screen `alerts` with the thing `AL-1` chosen. */
import { signal } from "./html.js";

export const SCREENS = /** @type {const} */ (["alerts", "devices", "orders", "schedules", "duty", "plans", "passes", "commands", "rules", "reports", "health"]);

function read() {
  const [, screen, ...rest] = location.hash.split("/");
  const known = SCREENS.find((name) => name === screen) ?? "alerts";
  return { screen: known, id: rest.length ? decodeURIComponent(rest.join("/")) : "" };
}

/** The screen and the id of what is chosen on it. */
export const route = signal(read());

addEventListener("hashchange", () => {
  route.value = read();
});

/** The address of a thing. @param {string} screen @param {string} [id] */
export const href = (screen, id = "") => `#/${screen}${id ? `/${encodeURIComponent(id)}` : ""}`;

/** Goes there. Choosing another thing on the same screen leaves no trace in the browser's history. @param {string} screen @param {string} [id] */
export function go(screen, id = "") {
  if (screen === route.peek().screen) history.replaceState(null, "", href(screen, id));
  else history.pushState(null, "", href(screen, id));
  route.value = read();
}
addEventListener("popstate", () => {
  route.value = read();
});
