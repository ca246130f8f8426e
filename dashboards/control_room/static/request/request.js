/** The residents' form: a request without an account, and its state by the tracking number. Plain DOM, text only. */
import { TEXTS } from "./texts.js";

const API = "/api/v1/requests";
const place = /** @type {HTMLElement} */ (document.getElementById("place"));
let language = /** @type {"zh"|"en"} */ ("zh");
/** @type {{sites: {id: string, name: Record<string, string>}[], categories: string[]}} */
let offered = { sites: [], categories: [] };

/** The text of that name, or the name's last part. @param {string} name */
const t = (name) => /** @type {Record<string, string>} */ (TEXTS[language])[name] ?? name.split(".").pop() ?? name;

/**
 * An element with attributes and children; a text child is only ever text.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node|string|null)} children
 */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** @param {string} path @param {object} [body] @param {string} [key] */
async function call(path, body, key) {
  const answer = await fetch(API + path, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(key ? { "Idempotency-Key": key } : {}) },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  throw new Error(answer.status === 429 ? t("busy") : answer.status === 404 ? t("unknown") : `${t("failed")}: ${told.detail ?? answer.status}`);
}

/** Runs what a button does; what goes wrong is written below it. @param {HTMLElement} form @param {() => Promise<void>} job */
async function attempt(form, job) {
  form.querySelector(".wrong")?.remove();
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    await job();
  } catch (error) {
    form.append(el("p", { class: "wrong", role: "alert" }, error instanceof Error ? error.message : String(error)));
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function head() {
  return el("header", {}, el("h1", {}, t("title")), el("button", { type: "button", onclick: () => {
    language = language === "zh" ? "en" : "zh";
    show();
  } }, t("other")));
}

/** @param {string} name @param {Record<string, any>} [more] @param {boolean} [optional] */
function field(name, more = {}, optional = false) {
  const tag = more.tag ?? "input";
  const rest = { ...more };
  delete rest.tag;
  return el("label", {}, el("span", {}, t(more.label ?? name), optional ? ` (${t("optional")})` : ""), el(tag, { name, ...rest }));
}

function askForm() {
  const kinds = ["repair", "request", "complaint"].map((kind, index) => el("label", {}, el("input", { type: "radio", name: "kind", value: kind, checked: index === 0 }), t(kind)));
  const sites = el("select", { name: "site" }, ...offered.sites.map((site) => el("option", { value: site.id }, site.name[language] ?? site.name.en ?? site.id)));
  const categories = el("select", { name: "category" }, ...offered.categories.map((one) => el("option", { value: one }, t(`category.${one}`))), el("option", { value: "" }, t("none")));
  // One key a form: pressing twice, or a lost answer, makes one request.
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const form = /** @type {HTMLFormElement} */ (el("form", {},
    el("fieldset", {}, el("legend", {}, t("kind")), el("div", { class: "choices" }, ...kinds)),
    offered.sites.length > 1 ? el("label", {}, el("span", {}, t("site")), sites) : null,
    el("label", {}, el("span", {}, t("category")), categories),
    field("text", { tag: "textarea", label: "what", required: true, maxlength: 2000 }),
    field("place", { maxlength: 200, autocomplete: "street-address" }, true),
    field("name", { maxlength: 128, autocomplete: "name" }, true),
    field("phone", { type: "tel", maxlength: 40, pattern: "[0-9+() \\-]*", autocomplete: "tel" }, true),
    el("div", { class: "trap", "aria-hidden": "true" }, el("input", { name: "email_again", tabindex: "-1", autocomplete: "off" })),
    el("p", { class: "hint" }, t("promise")),
    el("button", { class: "primary" }, t("send")),
  ));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form, async () => {
      const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
      const made = await call("", { site: offered.sites[0].id, ...given, language }, key);
      show(made.tracking, true);
    });
  });
  return form;
}

function lookUpForm() {
  const form = el("form", {}, el("h2", {}, t("lookUp")), field("tracking", { required: true, minlength: 13, maxlength: 13, autocapitalize: "characters", autocomplete: "off" }), el("button", {}, t("lookUp")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = String(new FormData(/** @type {HTMLFormElement} */ (form)).get("tracking")).trim().toUpperCase().replaceAll("O", "0").replaceAll("I", "1").replaceAll("L", "1");
    attempt(form, async () => paint(await call(`/${encodeURIComponent(typed)}`)));
  });
  return form;
}

/** @param {string} time */
const when = (time) => el("time", { datetime: time }, new Date(time).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "short", timeStyle: "short" }));

/** Shows how far a request is. @param {any} told @param {boolean} [fresh] */
function paint(told, fresh = false) {
  const state = told.outcome === "cancelled" ? "cancelled" : told.state;
  const body = el("section", {},
    fresh ? el("h2", {}, t("sent")) : null, fresh ? el("p", {}, t("keep")) : null, el("p", { class: "code" }, told.tracking),
    el("p", {}, `${t("number")} ${told.number} · ${t(told.kind)} · ${t(`state.${state}`)}`),
    el("ol", {}, ...told.steps.map((/** @type {any} */ step) => el("li", {}, when(step.time), t(`step.${step.action}`), step.text ? el("p", {}, step.text) : null))),
  );
  const parts = [head(), body];
  if (told.may_rate) parts.push(rateForm(told));
  if (told.may_reopen) parts.push(reopenForm(told));
  parts.push(lookUpForm());
  place.replaceChildren(...parts);
}

/** @param {any} told */
function rateForm(told) {
  const form = el("form", {}, el("h2", {}, t("rate")), el("div", { class: "choices" }, ...[1, 2, 3, 4, 5].map((score) => el("button", {
    type: "button", class: told.score === score ? "primary" : "", onclick: () => attempt(form, async () => paint(await call(`/${told.tracking}/rate`, { score }))),
  }, `${score} ${t("score")}`))));
  return form;
}

/** @param {any} told */
function reopenForm(told) {
  const form = el("form", {}, field("text", { tag: "textarea", label: "still", required: true, maxlength: 2000 }), el("button", {}, t("reopen")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = new FormData(/** @type {HTMLFormElement} */ (form)).get("text");
    attempt(form, async () => paint(await call(`/${told.tracking}/reopen`, { text })));
  });
  return form;
}

/** The form; or, with a tracking number, that request. @param {string} [tracking] @param {boolean} [fresh] */
async function show(tracking, fresh = false) {
  document.documentElement.lang = language;
  if (tracking) {
    try {
      paint(await call(`/${tracking}`), fresh);
    } catch {
      place.replaceChildren(head(), el("section", {}, el("p", {}, t("keep")), el("p", { class: "code" }, tracking)), lookUpForm());
    }
    return;
  }
  place.replaceChildren(head(), offered.sites.length ? askForm() : el("section", {}, el("p", {}, t("closed"))), lookUpForm());
}

async function start() {
  try {
    const form = await call("/form");
    offered = form;
    language = new URLSearchParams(location.search).get("lang") === "en" ? "en" : navigator.language.startsWith("zh") ? "zh" : form.language;
  } catch {
    // Without the API the page says that it is not open, with whom to phone.
  }
  show();
}

start();
