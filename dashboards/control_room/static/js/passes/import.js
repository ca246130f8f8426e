/** Many passes from a CSV file: all of them, or none and each line that is wrong. */
import { html, useState } from "../html.js";
import { ApiError, pages, post } from "../api.js";
import { say, t } from "../i18n.js";
import { passes, sites } from "../live/store.js";
import { done, wrong } from "../notices.js";
import { Dialog } from "../widgets/dialog.js";

/** @typedef {{line: number, reason: string}} WrongLine */

/** @param {{onClose: () => void}} props */
export function Import({ onClose }) {
  const [lines, setLines] = useState(/** @type {WrongLine[]} */ ([]));
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const file = /** @type {File} */ (form.get("file"));
    try {
      const body = { site: String(form.get("site") ?? "") || sites.items.keys().next().value, csv: await file.text() };
      const told = await post("/passes/import", body, { timeout: 60000 });
      await pages("/passes?limit=500", (items) => passes.putAll(items));
      done(t("passes.imported", { count: told.imported, changed: told.changed }));
      onClose();
    } catch (error) {
      const told = error instanceof ApiError && error.code === "sheet_refused" ? /** @type {WrongLine[]} */ (error.errors) : [];
      setLines(told);
      if (!told.length) wrong(error);
    }
  };
  return html`<${Dialog} wide title=${t("passes.import")} onClose=${onClose}><form onSubmit=${send}>
    <p class="hint">${t("passes.import_hint")}</p><p class="hint mono small">kind,value,name,zones,from,until,days,hours,household,spaces,anti_passback,blocked,visitor,note,host,entries</p>
    <div class="form-grid">${sites.all().length > 1 && html`<label class="field">${t("passes.site")}<select name="site">${sites.all().map((one) => html`<option key=${one.id} value=${one.id}>${say(one.name, one.id)}</option>`)}</select></label>`}
      <label class="field">${t("passes.file")}<input name="file" type="file" accept=".csv,text/csv" required /></label></div>
    ${lines.length > 0 && html`<div role="alert"><p class="warn-text">${t("passes.import_refused", { count: lines.length })}</p>
      <ol class="wrong-lines" tabindex="0" aria-label=${t("passes.import_refused", { count: lines.length })}>${lines.slice(0, 200).map((one) => html`<li key=${one.line}><span class="tag">${t("passes.line", { line: one.line })}</span> ${one.reason}</li>`)}</ol></div>`}
    <div class="dialog-actions"><button type="button" onClick=${onClose}>${t("cancel")}</button><button class="primary">${t("passes.import_do")}</button></div></form></${Dialog}>`;
}
