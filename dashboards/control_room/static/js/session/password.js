/** Setting one's own password, so that the next time needs no link. */
import { html, signal } from "../html.js";
import { changePassword } from "../api.js";
import { t } from "../i18n.js";
import { attempt } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";

export const changing = signal(false);

export function PasswordDialog() {
  if (!changing.value) return null;
  const leave = () => {
    changing.value = false;
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    if (await attempt(() => changePassword(String(form.get("current")), String(form.get("new"))), t("password.done"))) leave();
  };
  return html`<${Dialog} title=${t("password.title")} onClose=${leave}><form onSubmit=${send}>
    <label class="field">${t("password.current")}<input name="current" type="password" autocomplete="current-password" /></label>
    <label class="field">${t("password.new")}<input name="new" type="password" required minlength="8" maxlength="256" autocomplete="new-password" /></label>
    <div class="dialog-actions"><button type="button" onClick=${leave}>${t("cancel")}</button><button class="primary">${t("password.title")}</button></div></form></${Dialog}>`;
}
