/** Why refused: what a door or barrier would answer now. Nothing opens. */
import { html, useState } from "../html.js";
import { post } from "../api.js";
import { say, t } from "../i18n.js";
import { devices } from "../live/store.js";
import { attempt } from "../notices.js";
import { deviceName } from "../place.js";
import { Dialog } from "../widgets/dialog.js";

const ASKING = ["door", "barrier", "camera", "reader", "terminal"];

/** @param {{onClose: () => void}} props */
export function Check({ onClose }) {
  const [told, setTold] = useState(/** @type {{allowed: boolean, text: Record<string, string>}|null} */ (null));
  const places = devices.all().filter((one) => ASKING.some((type) => String(one.type).includes(type)));
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const body = Object.fromEntries(["device", "kind", "value", "direction"].map((name) => [name, String(form.get(name)).trim()]));
    attempt(async () => setTold(await post("/passes/check", body)));
  };
  return html`<${Dialog} title=${t("passes.check")} onClose=${onClose}><form onSubmit=${send}><p class="hint">${t("passes.check_hint")}</p>
    <div class="form-grid">
      <label class="field">${t("passes.at")}<select name="device">${(places.length ? places : devices.all()).map((one) => html`<option key=${one.id} value=${one.id}>${deviceName(one.id)}</option>`)}</select></label>
      <label class="field">${t("passes.kind")}<select name="kind">${["plate", "card", "person", "qr"].map((one) => html`<option key=${one} value=${one}>${t(`pass.${one}`)}</option>`)}</select></label>
      <label class="field">${t("passes.value")}<input name="value" required maxlength="600" autocomplete="off" /></label>
      <label class="field">${t("passes.direction")}<select name="direction"><option value="in">${t("passes.in")}</option><option value="out">${t("passes.out")}</option></select></label></div>
    ${told && html`<p role="status" class="answer"><span class=${`tag ${told.allowed ? "on" : "warn"}`}>${told.allowed ? t("passes.allowed") : t("passes.refused")}</span> ${say(told.text)}</p>`}
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("close")}</button><button class="primary">${t("passes.check_do")}</button></div></form></${Dialog}>`;
}
