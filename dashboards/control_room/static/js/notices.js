/** Short messages to the operator: what was done stays a while, what went wrong stays until it is put away. */
import { html, signal } from "./html.js";
import { ApiError } from "./api.js";
import { t } from "./i18n.js";
import { Icon } from "./widgets/icon.js";

/** @typedef {{id: number, kind: "done"|"wrong"|"told", text: string}} Notice */
const notices = signal(/** @type {Notice[]} */ ([]));
let next = 1;

/** @param {Notice["kind"]} kind @param {string} text */
function add(kind, text) {
  const id = next++;
  const others = notices.peek().filter((notice) => notice.text !== text && (kind !== "done" || notice.kind !== "done"));
  notices.value = [...others, { id, kind, text }].slice(-4);
  if (kind === "done") setTimeout(() => remove(id), 6000);
}

/** @param {number} id */
function remove(id) {
  notices.value = notices.peek().filter((notice) => notice.id !== id);
}

/** Says that something was done. @param {string} text */
export const done = (text) => add("done", text);
/** Says something the operator must have read. @param {string} text */
export const tell = (text) => add("told", text);

/** Says what went wrong, in the gateway's words. @param {unknown} error */
export function wrong(error) {
  if (error instanceof ApiError && error.status === 0) add("wrong", t("error.unreachable"));
  else add("wrong", error instanceof Error ? error.message : String(error));
}

/**
 * Does something and says how it went; true when it succeeded.
 * @param {() => Promise<unknown>} act
 * @param {string} [success]
 */
export async function attempt(act, success) {
  try {
    await act();
    if (success) done(success);
    return true;
  } catch (error) {
    wrong(error);
    return false;
  }
}

/** The messages, at the foot of the page. */
export function Notices() {
  return html`<div class="notices" role="status" aria-live="polite">
    ${notices.value.map(
      (notice) => html`<div key=${notice.id} class=${`notice ${notice.kind}`}>
        <${Icon} name=${notice.kind === "wrong" ? "warning" : notice.kind === "done" ? "check" : "info"} />
        <span>${notice.text}</span>
        <button type="button" class="icon-button" aria-label=${t("dismiss")} onClick=${() => remove(notice.id)}><${Icon} name="close" /></button>
      </div>`,
    )}
  </div>`;
}
