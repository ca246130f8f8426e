/** The one way to the gateway's HTTP API: JSON in and out, CSRF, versions, problem details as `ApiError`. */
import { signal } from "./html.js";

/** @typedef {import("./types.js").Session} Session */

const BASE = "./api/v1";

/** Who is signed in: undefined while not yet known, null when nobody. */
export const session = signal(/** @type {Session|null|undefined} */ (undefined));

/** What the gateway refused, in its own words. `status` 0 means that it could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string} [code]
   * @param {unknown[]} [errors]  everything that is wrong, where the answer lists it
   */
  constructor(status, message, code = "", errors = []) {
    super(message);
    this.errors = errors;
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {object} Options
 * @property {unknown} [body]        sent as JSON
 * @property {Blob} [raw]          sent as it is: a file
 * @property {number} [version]      If-Match: refuse when somebody else was first
 * @property {string} [key]          Idempotency-Key
 * @property {number} [timeout]      milliseconds; 15,000 where not given
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, raw, version, key, timeout = 15000 } = {}) {
  const headers = new Headers({ Accept: "application/json" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (version !== undefined) headers.set("If-Match", `W/"${version}"`);
  if (key) headers.set("Idempotency-Key", key);
  if (method !== "GET" && session.peek()?.csrf) headers.set("X-CSRF-Token", session.peek()?.csrf ?? "");
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), timeout);
  try {
    const answer = await fetch(BASE + path, {
      method,
      headers,
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
      credentials: "same-origin",
      cache: "no-store",
      signal: aborter.signal,
    });
    if (answer.ok) return answer.status === 204 ? null : await answer.json().catch(() => null);
    throw await problem(answer, path);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(0, aborter.signal.aborted ? "timeout" : "unreachable", "unreachable");
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Response} answer
 * @param {string} path
 */
async function problem(answer, path) {
  if (answer.status === 401 && !path.startsWith("/session")) session.value = null;
  const details = await answer.json().catch(() => ({}));
  const message = details.detail || details.title || `${answer.status} ${answer.statusText}`;
  return new ApiError(answer.status, typeof message === "string" ? message : JSON.stringify(message), details.code, details.errors ?? details.facts?.lines ?? []);
}

/** @param {string} path */
export const get = (path) => call("GET", path);

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {Options} [options]
 */
export const post = (path, body = {}, options = {}) => call("POST", path, { ...options, body });

/**
 * All items of a list, page by page; `each` gets every page as it comes.
 * @template T
 * @param {string} path
 * @param {(items: T[]) => void} each
 */
export async function pages(path, each) {
  let cursor = "";
  do {
    const mark = path.includes("?") ? "&" : "?";
    const page = await get(cursor ? `${path}${mark}cursor=${encodeURIComponent(cursor)}` : path);
    each(page.items ?? []);
    cursor = page.next ?? "";
  } while (cursor);
}

/** @param {any} body @returns {Session} */
function sessionOf(body) {
  const user = typeof body.user === "object" && body.user ? body.user : body;
  return {
    name: String(user.name ?? body.user ?? ""),
    role: String(user.role ?? body.role ?? "viewer"),
    sites: user.sites ?? body.sites ?? [],
    csrf: String(body.csrf ?? ""),
    language: user.language ?? body.language,
  };
}

/** Asks who is signed in; a gateway that cannot be reached leaves what was known. */
export async function loadSession() {
  try {
    session.value = sessionOf(await get("/session"));
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) session.value = null;
    else if (session.peek() === undefined) throw error;
  }
}

/**
 * @param {string} user
 * @param {string} password
 */
export async function signIn(user, password) {
  await post("/session", { user, password });
  session.value = sessionOf(await get("/session"));
}

/**
 * Sets one's own password. Who came by a link has none yet and may leave `current` empty.
 * @param {string} current
 * @param {string} next
 */
export const changePassword = (current, next) => call("PUT", "/session/password", { body: { current: current || "none", new: next } });

export async function signOut() {
  await call("DELETE", "/session");
  session.value = null;
}

/** Whether the signed-in person holds `role` or more. @param {"viewer"|"operator"|"engineer"|"admin"} role */
export function may(role) {
  const order = ["viewer", "operator", "engineer", "admin"];
  return order.indexOf(session.value?.role ?? "") >= order.indexOf(role);
}
