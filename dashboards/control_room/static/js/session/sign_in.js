/** Signing in with a name and a password. A one-time link signs in by itself: the gateway answers it with the page. */
import { html, signal, useState } from "../html.js";
import { ApiError, loadSession, signIn } from "../api.js";
import { t } from "../i18n.js";
import { LanguageSwitch } from "../frame/switches.js";

/** A sign-in link that no longer works comes back with this in the address. */
const spent = signal(new URLSearchParams(location.search).get("link") === "expired");

export function SignIn() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    setBusy(true);
    setProblem("");
    try {
      await signIn(String(form.get("user")).trim(), String(form.get("password")));
      spent.value = false;
    } catch (error) {
      setProblem(error instanceof ApiError && error.status === 401 ? t("signin.wrong") : error instanceof ApiError && error.status === 0 ? t("error.unreachable") : String(/** @type {Error} */ (error).message));
    } finally {
      setBusy(false);
    }
  };
  return html`<main class="gate"><form class="gate-card" onSubmit=${send}>
    <${Mark} /><h1>Gatehouse</h1><p class="muted">${t("signin.subtitle")}</p>
    ${spent.value && html`<p class="warning-line" role="alert">${t("signin.link_spent")}</p>`}
    <label class="field">${t("signin.user")}<input name="user" required autocomplete="username" autofocus /></label>
    <label class="field">${t("signin.password")}<input name="password" type="password" required autocomplete="current-password" /></label>
    ${problem && html`<p class="warning-line" role="alert">${problem}</p>`}
    <button class="primary large" disabled=${busy}>${busy ? t("signin.busy") : t("signin.do")}</button>
    <p class="hint">${t("signin.hint")}</p><${LanguageSwitch} />
  </form></main>`;
}

/** What is shown while the gateway has not answered yet. */
export function Waiting() {
  const again = () => loadSession().catch(() => undefined);
  return html`<main class="gate"><div class="gate-card"><${Mark} /><h1>Gatehouse</h1><p role="status">${t("signin.waiting")}</p><button type="button" class="large" onClick=${again}>${t("signin.again")}</button></div></main>`;
}

/** The house mark. */
export function Mark() {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path d="M6 26V12l10-7 10 7v14M12 26v-9h8v9" /></svg>`;
}
